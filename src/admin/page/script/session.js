// Who asks, what they may, and logging in and out.

const ROLES = ["viewer", "operator", "administrator"];

/** `offered` is whether somebody can log in here. */
const session = { offered: false, user: null, role: null, by: null };

const may = role => ROLES.indexOf(session.role) >= ROLES.indexOf(role);

async function whoAsks() {
  const before = `${session.user} ${session.role}`;
  try {
    const { user, role, by: through, login } = await ask("session");
    Object.assign(session, { offered: login, user, role: role ?? null, by: through });
  } catch (error) {
    // Too many at once, or a proxy that cannot tell now, says nothing of who it is.
    if (!(error instanceof Refused) || ![401, 403].includes(error.status)) return;
    Object.assign(session, { offered: error.status === 401, user: null, role: null, by: null });
  }
  if (before === `${session.user} ${session.role}` && by("who").childElementCount) return;
  showWho();
  if (session.role && source?.readyState === EventSource.CLOSED) listen();
}

function showWho() {
  const { offered, user, role, by: through } = session;
  const who = role ? `${through === "loopback" ? "whoever is on this machine" : user} · ${role}` : "";
  by("who").replaceChildren(
    make("span", {}, who || (offered ? "not logged in" : "looking on")),
    may("administrator") ? button("Reload …", reload) : "",
    may("administrator") ? button("Drain …", drain, { class: "danger" }) : "",
    offered && through === "session" ? button("Log out", logOut) : "",
    offered && through !== "session" ? button("Log in …", logIn) : "",
  );
  document.body.classList.toggle("operator", may("operator"));
  document.body.classList.toggle("viewer", session.role === "viewer");
}

function logIn() {
  const field = (text, attributes) => make("label", {}, text, make("input", attributes));
  const fields = [
    field("Name", { required: true, name: "user", autocomplete: "username", spellcheck: "false", autocapitalize: "none" }),
    field("Passcode", { required: true, name: "passcode", type: "password", autocomplete: "current-password" }),
    field("Code of the app, six digits, if you have one", { name: "code", inputmode: "numeric", autocomplete: "one-time-code", pattern: "[0-9 ]*" }),
  ];
  question("Log in", "", fields, "Log in", async values => {
    const code = values.code.replaceAll(" ", "");
    await ask("session", "POST", { user: values.user, passcode: values.passcode, ...(code ? { code } : {}) });
    await anew();
  });
}

async function logOut() {
  await ask("session", "DELETE").catch(() => {});
  await anew();
}

/** Somebody else may see something else. */
async function anew() {
  await whoAsks();
  listen();
  again();
}
