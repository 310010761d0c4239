//! Keys that a server lends for some hours: beside the container, beside the machine, or for a token.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use ureq::Agent;
use ureq::http::{Request, header};
use url::Url;

use super::{Container, CredentialError, Keys, Lent, WebIdentity};
use crate::s3::xml;

/// Such a server is next door: if it does not answer at once, there is none.
const NEIGHBOUR_SILENCE: Duration = Duration::from_secs(2);
/// One that exchanges tokens is not.
const SILENCE: Duration = Duration::from_secs(20);
/// How long the machine's server may trust us, in seconds: each time for one question.
const SESSION_S: &str = "60";

/// How all of them write keys down.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Said {
    access_key_id: String,
    secret_access_key: String,
    #[serde(alias = "SessionToken")]
    token: Option<String>,
    expiration: Option<Timestamp>,
}

/// Keys as JSON.
pub(super) fn lent(json: &[u8]) -> Option<Lent> {
    let said: Said = serde_json::from_slice(json).ok()?;
    let keys = Keys { id: said.access_key_id, secret: said.secret_access_key, token: said.token };
    Some(Lent { keys: Some(keys), until: said.expiration })
}

fn agent(silence: Duration) -> Agent {
    let silence = Some(silence);
    // Never through a proxy: what is next door is nobody else's business.
    let config = Agent::config_builder().proxy(None).http_status_as_error(false);
    config.timeout_connect(silence).timeout_recv_response(silence).timeout_per_read(silence).build().new_agent()
}

/// What a server says; `None` when it says that there is nothing.
fn ask(agent: &Agent, url: &str, request: Request<()>) -> Result<Option<Vec<u8>>, CredentialError> {
    let failed = |why: String, is_passing| CredentialError::Server { url: url.to_owned(), why, is_passing };
    let mut response = agent.run(request).map_err(|error| failed(error.to_string(), true))?;
    let status = response.status().as_u16();
    let body = response.body_mut().read_to_vec().map_err(|error| failed(error.to_string(), true))?;
    match status {
        200..300 => Ok(Some(body)),
        404 => Ok(None),
        _ => Err(failed(format!("it answers {status}"), status == 429 || status >= 500)),
    }
}

fn request(method: &str, url: &str, headers: &[(&str, &str)]) -> Result<Request<()>, CredentialError> {
    let built = headers
        .iter()
        .fold(Request::builder().method(method).uri(url), |request, (name, value)| request.header(*name, *value));
    built.body(()).map_err(|error| no_keys(url, &error.to_string()))
}

fn no_keys(url: &str, why: &str) -> CredentialError {
    CredentialError::Server { url: url.to_owned(), why: why.to_owned(), is_passing: false }
}

fn read(path: &Path) -> Result<String, CredentialError> {
    let text = std::fs::read_to_string(path);
    text.map_err(|source| CredentialError::File { path: path.to_owned(), source }).map(|text| text.trim().to_owned())
}

/// The role of the container: one question.
pub(super) fn container(container: &Container) -> Result<Lent, CredentialError> {
    let url = container.url.as_str();
    let token = container.token_file.as_deref().map(read).transpose()?;
    let headers: Vec<(&str, &str)> =
        token.iter().map(|token| (header::AUTHORIZATION.as_str(), token.as_str())).collect();
    let said = ask(&agent(NEIGHBOUR_SILENCE), url, request("GET", url, &headers)?)?;
    said.and_then(|json| lent(&json)).ok_or_else(|| no_keys(url, "it says no keys"))
}

/// The role of the machine: a session, the role's name, its keys. A machine without such a server has no role.
pub(super) fn instance(endpoint: &str) -> Result<Lent, CredentialError> {
    let nobody = Ok(Lent { keys: None, until: None });
    let (endpoint, agent) = (endpoint.trim_end_matches('/'), agent(NEIGHBOUR_SILENCE));
    let url = format!("{endpoint}/latest/api/token");
    let wished = [("x-aws-ec2-metadata-token-ttl-seconds", SESSION_S)];
    let session = match ask(&agent, &url, request("PUT", &url, &wished)?) {
        Err(CredentialError::Server { .. }) | Ok(None) => return nobody,
        other => other?.unwrap_or_default(),
    };
    let session = String::from_utf8_lossy(&session).into_owned();
    let shown = [("x-aws-ec2-metadata-token", session.as_str())];
    let url = format!("{endpoint}/latest/meta-data/iam/security-credentials/");
    let Some(roles) = ask(&agent, &url, request("GET", &url, &shown)?)? else { return nobody };
    let roles = String::from_utf8_lossy(&roles).into_owned();
    let Some(role) = roles.lines().map(str::trim).find(|role| !role.is_empty()) else { return nobody };
    let url = format!("{url}{role}");
    let said = ask(&agent, &url, request("GET", &url, &shown)?)?;
    said.and_then(|json| lent(&json)).ok_or_else(|| no_keys(&url, "it says no keys"))
}

/// A token of the cluster, exchanged for keys.
pub(super) fn web_identity(identity: &WebIdentity) -> Result<Lent, CredentialError> {
    let endpoint = identity.endpoint.as_str();
    let token = read(&identity.token_file)?;
    let mut url: Url = endpoint.parse().map_err(|_| no_keys(endpoint, "that is no address"))?;
    url.query_pairs_mut()
        .append_pair("Action", "AssumeRoleWithWebIdentity")
        .append_pair("Version", "2011-06-15")
        .append_pair("RoleArn", &identity.role)
        .append_pair("RoleSessionName", &identity.session)
        .append_pair("WebIdentityToken", &token);
    // The token is in the address, so errors name the server alone.
    let said = ask(&agent(SILENCE), endpoint, request("GET", url.as_str(), &[])?)?;
    let said = String::from_utf8_lossy(&said.unwrap_or_default()).into_owned();
    let document = xml::parse(&said).map_err(|_| no_keys(endpoint, "it says no keys"))?;
    let field =
        |name: &str| document.get(&format!("AssumeRoleWithWebIdentityResult/Credentials/{name}")).map(str::to_owned);
    let (Some(id), Some(secret)) = (field("AccessKeyId"), field("SecretAccessKey")) else {
        return Err(no_keys(endpoint, "it says no keys"));
    };
    let until = field("Expiration").and_then(|time| time.parse().ok());
    Ok(Lent { keys: Some(Keys { id, secret, token: field("SessionToken") }), until })
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::TcpListener;

    use super::*;

    const KEYS: &str = "{\"Code\":\"Success\",\"AccessKeyId\":\"I\",\"SecretAccessKey\":\"s\",\"Token\":\"t\",\
        \"Expiration\":\"2100-01-01T00:00:00Z\"}";

    /// Serves answers by what the head of a request has in it; 404 to everything else.
    fn server(answers: &'static [(&'static str, &'static str)]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let address = listener.local_addr().expect("bound");
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut head = String::new();
                let mut lines = BufReader::new(stream.try_clone().expect("a stream"));
                while !head.ends_with("\r\n\r\n") && lines.read_line(&mut head).is_ok_and(|read| read > 0) {}
                let found = answers.iter().find(|(part, _)| head.to_lowercase().contains(&part.to_lowercase()));
                let (status, body) = found.map_or((404, ""), |(_, body)| (200, *body));
                let length = body.len();
                let head = format!("HTTP/1.1 {status} x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
                drop(stream.write_all(format!("{head}{body}").as_bytes()));
            }
        });
        format!("http://{address}")
    }

    fn id(lent: Result<Lent, CredentialError>) -> Option<String> {
        lent.expect("an answer").keys.map(|keys| keys.id)
    }

    #[test]
    fn the_role_of_the_machine_is_asked_for_in_three_steps() {
        let machine = server(&[
            ("PUT /latest/api/token", "SESSION"),
            ("security-credentials/role HTTP/1.1\r\nx-aws-ec2-metadata-token: SESSION", KEYS),
            ("security-credentials/role", KEYS),
            ("security-credentials/ ", "role\n"),
        ]);
        let lent = instance(&machine).expect("keys");
        assert!(lent.until.is_some() && lent.is_fresh());
        assert_eq!(id(Ok(lent)).as_deref(), Some("I"));
        let bare = server(&[("PUT /latest/api/token", "SESSION")]);
        assert_eq!(id(instance(&bare)), None, "a machine without a role");
        assert_eq!(id(instance("http://127.0.0.1:9")), None, "not such a machine at all");
    }

    #[test]
    fn the_role_of_the_container_may_want_a_token() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("token");
        std::fs::write(&file, "Bearer x\n").expect("a file");
        let url = server(&[("authorization: Bearer x", KEYS)]);
        let asked = |token_file| container(&Container { url: url.clone(), token_file });
        assert_eq!(id(asked(Some(file))).as_deref(), Some("I"));
        assert!(asked(None).is_err());
    }

    #[test]
    fn a_token_is_exchanged() {
        let folder = tempfile::tempdir().expect("a folder");
        let token_file = folder.path().join("token");
        std::fs::write(&token_file, "a.b c").expect("a file");
        let endpoint = server(&[(
            "WebIdentityToken=a.b+c",
            "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>\
             <AccessKeyId>I</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
             <Expiration>2100-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult>\
             </AssumeRoleWithWebIdentityResponse>",
        )]);
        let identity = WebIdentity { token_file, role: "arn:r".into(), session: "databuild".into(), endpoint };
        let lent = web_identity(&identity).expect("keys");
        assert!(lent.until.is_some());
        assert_eq!(id(Ok(lent)).as_deref(), Some("I"));
    }
}
