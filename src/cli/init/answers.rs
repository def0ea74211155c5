//! What has to be known of the proxy, the PACS and the first site: flags, questions, or defaults.

use std::fs;
use std::net::SocketAddr;

use crate::audit::used::name_of;
use crate::cli::terminal;
use crate::cli::user::passcode::Source;
use crate::config;
use crate::tls::authority::SubjectName;
use crate::users;
use crate::wire::AeTitle;

/// Times that a question is asked.
const TRIES: usize = 3;

/// What can be said without being asked.
#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    /// The name or address at which sites reach the proxy
    #[arg(long, value_parser = host)]
    pub(super) name: Option<String>,
    /// Where the PACS listens, HOST:PORT
    #[arg(long, value_name = "ADDRESS", value_parser = config::checked_host_and_port)]
    pub(super) pacs: Option<String>,
    /// The AE title of the PACS
    #[arg(long, value_name = "AE", value_parser = ae_title)]
    pub(super) pacs_ae_title: Option<String>,
    /// What the first site is called: letters, digits and hyphens
    #[arg(long, value_name = "NAME", value_parser = site)]
    pub(super) site: Option<String>,
    /// The AE title of the site
    #[arg(long, value_name = "AE", value_parser = ae_title)]
    pub(super) site_ae_title: Option<String>,
    /// The network or address that the site comes from
    #[arg(long, value_name = "NETWORK", value_parser = network)]
    pub(super) site_network: Option<String>,
    /// Where the proxy listens
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:2762")]
    pub(super) listen: SocketAddr,
    /// Who may do everything at the administration interface: letters, digits and . _ - @ +
    #[arg(long, value_name = "NAME", value_parser = user)]
    pub(super) user: Option<String>,
    #[command(flatten)]
    pub(super) source: Source,
    /// The port of the administration interface on this machine
    #[arg(long, value_name = "PORT", default_value_t = 8765)]
    pub(super) admin_port: u16,
    /// Ask nothing; what no flag says is the default: this machine's name, a PACS at 127.0.0.1:104, a site on this machine, a
    /// user called as this account with a passcode that is made
    #[arg(long)]
    pub(super) yes: bool,
}

/// Everything, checked.
#[derive(Clone, Debug)]
pub(super) struct Answers {
    pub(super) name: String,
    pub(super) pacs: String,
    pub(super) pacs_ae_title: String,
    pub(super) site: String,
    pub(super) site_ae_title: String,
    pub(super) site_network: String,
    pub(super) listen: SocketAddr,
    pub(super) user: String,
    pub(super) admin_port: u16,
}

/// One thing to be known.
struct Question<'f> {
    flag: &'static str,
    said: &'f Option<String>,
    text: &'static str,
    default: String,
    check: fn(&str) -> Result<String, String>,
}

impl Question<'_> {
    /// Asks until an answer is good; an empty one is the default.
    fn ask(&self) -> Result<String, String> {
        for _ in 0..TRIES {
            let answer = terminal::ask(&format!("{} [{}]: ", self.text, self.default))
                .map_err(|_| "nothing was made".to_owned())?;
            let answer = if answer.is_empty() { &self.default } else { &answer };
            match (self.check)(answer) {
                Ok(answer) => return Ok(answer),
                Err(wrong) => eprintln!("{wrong}"),
            }
        }
        Err(format!("no answer for --{}; nothing was made", self.flag))
    }
}

impl Flags {
    fn questions(&self) -> [Question<'_>; 7] {
        let one = |flag, said, text, default: &str, check| Question {
            flag,
            said,
            text,
            default: default.to_owned(),
            check,
        };
        [
            one("name", &self.name, "name or address at which sites reach this proxy", &own_name(), host),
            one("pacs", &self.pacs, "address of the PACS", "127.0.0.1:104", config::checked_host_and_port),
            one("pacs-ae-title", &self.pacs_ae_title, "AE title of the PACS", "PACS", ae_title),
            one("site", &self.site, "name of the first remote site", "site", site),
            one("site-ae-title", &self.site_ae_title, "AE title of the site", "SITE", ae_title),
            one("site-network", &self.site_network, "network of the site", "127.0.0.0/8", network),
            one("user", &self.user, "name of the first user, who may do everything", &own_account(), user),
        ]
    }

    /// All of it.
    ///
    /// # Errors
    /// What is missing where nobody can be asked, or that nobody answered.
    pub(super) fn answers(&self) -> Result<Answers, String> {
        let questions = self.questions();
        let unsaid = questions.iter().filter(|one| one.said.is_none()).map(|one| one.flag);
        let passcode = Some("make-passcode").filter(|_| !self.source.is_said());
        let open: Vec<&str> = unsaid.chain(passcode).collect();
        if !open.is_empty() && !self.yes && !terminal::is_there() {
            let flags: Vec<String> = open.iter().map(|flag| format!("--{flag}")).collect();
            return Err(format!(
                "no terminal to ask at; give {}, or --yes for the defaults; nothing was made",
                flags.join(", ")
            ));
        }
        let answer = |question: &Question<'_>| match (question.said, self.yes) {
            (Some(said), _) => Ok(said.clone()),
            (None, true) => (question.check)(&question.default),
            (None, false) => question.ask(),
        };
        let mut answers = Vec::with_capacity(questions.len());
        for question in &questions {
            answers.push(answer(question)?);
        }
        let [name, pacs, pacs_ae_title, site, site_ae_title, site_network, user] =
            <[String; 7]>::try_from(answers).map_err(|_| "nothing was made".to_owned())?;
        let (listen, admin_port) = (self.listen, self.admin_port);
        Ok(Answers { name, pacs, pacs_ae_title, site, site_ae_title, site_network, listen, user, admin_port })
    }
}

/// What the machine is called, where that can be the name of a server.
fn own_name() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    host(name.trim()).unwrap_or_else(|_| "localhost".to_owned())
}

/// What the account is called, where that can be the name of a user.
fn own_account() -> String {
    let name = name_of(rustix::process::geteuid().as_raw()).unwrap_or_default();
    user(&name).unwrap_or_else(|_| "admin".to_owned())
}

fn user(text: &str) -> Result<String, String> {
    users::check_new_name(text).map(|()| text.to_owned())
}

fn host(text: &str) -> Result<String, String> {
    match text.parse() {
        Ok(SubjectName::Dns(name)) if !text.contains(':') => Ok(name),
        Ok(SubjectName::Ip(address)) if !text.starts_with("ip:") => Ok(address.to_string()),
        _ => Err(format!(
            "{:?} is no name or address of a host, as dimse.hospital.example or 10.0.0.4",
            short(text)
        )),
    }
}

fn ae_title(text: &str) -> Result<String, String> {
    let wrong = || {
        format!("{:?} is no AE title: 1 to 16 letters, digits and signs but * ? \\ and quotes", short(text))
    };
    let title: AeTitle = text.parse().map_err(|_| wrong())?;
    let legal = |byte: u8| byte == b' ' || byte.is_ascii_graphic() && !b"*?\\\"'".contains(&byte);
    if title.as_str().bytes().all(legal) { Ok(title.as_str().to_owned()) } else { Err(wrong()) }
}

/// It becomes the name of files, and one in a certificate.
fn site(text: &str) -> Result<String, String> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let ends = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    let fits = (1..=32).contains(&text.len()) && text.bytes().all(legal);
    if !fits
        || !ends(text.bytes().next())
        || !ends(text.bytes().last())
        || text.bytes().all(|b| b.is_ascii_digit())
    {
        return Err(format!(
            "{:?} is no name of a site: 1 to 32 letters, digits and hyphens between them",
            short(text)
        ));
    }
    let name = text.to_ascii_lowercase();
    match ["ca", "server"].contains(&name.as_str()) {
        true => Err(format!("{name:?} is the name of another file, call the site otherwise")),
        false => Ok(name),
    }
}

fn network(text: &str) -> Result<String, String> {
    config::checked_network(text).map(|_| text.to_owned())
}

fn short(text: &str) -> String {
    text.chars().take(64).collect()
}
