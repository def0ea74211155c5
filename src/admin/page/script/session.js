// Who asks, what they may, and logging in and out.

const ROLES = ["viewer", "operator", "administrator"];

/** `offered` is whether somebody can log in here, `over` whether somebody was, and is not any more. */
const session = { known: false, offered: false, over: false, user: null, role: null, by: null, last: null };

const may = role => ROLES.indexOf(session.role) >= ROLES.indexOf(role);

async function whoAsks() {
  const { known, user, role: before, by: through } = session;
  try {
    const { user, role, by: through, login } = await ask("session");
    Object.assign(session, { known: true, offered: login, user, role: role ?? null, by: through });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    // Too many at once, or a proxy that cannot tell now, says nothing of who it is.
    if (![401, 403].includes(error.status)) return;
    Object.assign(session, { known: true, offered: error.status === 401, user: null, role: null, by: null });
  }
  session.over = !session.role && (session.over || (Boolean(before) && through === "session"));
  if (user === session.user && before === session.role && by("who").childElementCount) return;
  showWho();
  // Somebody else may see something else.
  if (session.role) listen();
  else source?.close();
  if (known) again();
}

function showWho() {
  const { offered, user, role, by: through } = session;
  const who = role ? `${through === "loopback" ? "whoever is on this machine" : user} · ${role}` : "";
  by("who").replaceChildren(
    make("span", {}, who || (offered ? "not logged in" : "no role here")),
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
  const name = session.over ? session.last : null;
  const fields = [
    field("Name", { value: name, required: true, name: "user", autocomplete: "username", spellcheck: "false", autocapitalize: "none" }),
    field("Passcode", { required: true, name: "passcode", type: "password", autocomplete: "current-password" }),
    field("Code of the app, six digits, if you have one", { name: "code", inputmode: "numeric", autocomplete: "one-time-code", pattern: "[0-9 ]*" }),
  ];
  question("Log in", "", fields, "Log in", async values => {
    const code = values.code.replaceAll(" ", "");
    session.last = values.user;
    await ask("session", "POST", { user: values.user, passcode: values.passcode, ...(code ? { code } : {}) });
    await whoAsks();
  });
}

async function logOut() {
  await ask("session", "DELETE").catch(() => {});
  await whoAsks();
  session.over = false;
  look();
}
