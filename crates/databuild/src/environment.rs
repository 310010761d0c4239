//! What the program reads from its environment: all of it, here.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use pipeline::{Environment, Key, S3Credentials, S3Environment};
use store::s3::{Container, Keys, Profiles, Surroundings, WebIdentity};

/// Path of the ONNX Runtime library; the name that the `ort` crate gave it.
const ONNX_RUNTIME: &str = "ORT_DYLIB_PATH";
/// Where the XDG base directory specification puts data of programs.
const DATA_HOME: &str = "XDG_DATA_HOME";
const HOME: &str = "HOME";
const PATH: &str = "PATH";
/// The library's name on Linux, without version as a package's development file and ours, and with the major one.
const LIBRARY: &str = "libonnxruntime.so";

fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// Reads the environment.
pub(crate) fn read() -> Environment {
    Environment {
        path: variable(PATH).unwrap_or_default(),
        onnx_runtime: onnx_runtime_candidates(),
        s3: s3_credentials(),
        s3_state: s3_state(),
        model_key: model_key(),
        is_root: rustix::process::geteuid().is_root(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        command: std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect(),
        memory_bytes: memory_kb("MemTotal").map_or(0, |kb| kb << 10),
    }
}

/// Kibibytes of the machine's memory that go by that name in `/proc/meminfo`; `None` where the system does not tell.
pub(crate) fn memory_kb(name: &str) -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let mut values = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    values.find_map(|value| value.trim().strip_suffix(" kB")?.parse().ok())
}

/// A key for servers of a model: our own name, so that a key of somebody else's service never goes to another server by accident.
fn model_key() -> Option<Key> {
    variable("DATABUILD_MODEL_KEY").map(|key| Key::new(key.to_string_lossy().into_owned()))
}

/// The names that every tool of S3 reads.
fn s3_credentials() -> Option<S3Credentials> {
    let text = |name| variable(name).map(|value| value.to_string_lossy().into_owned());
    Some(S3Credentials {
        key: text("AWS_ACCESS_KEY_ID")?,
        secret: text("AWS_SECRET_ACCESS_KEY")?,
        token: text("AWS_SESSION_TOKEN"),
    })
}

/// Where containers ask for their role when they are told a path alone.
const CONTAINER: &str = "http://169.254.170.2";
/// Where machines do.
const INSTANCE: &str = "http://169.254.169.254";

/// What the environment says about a store in S3, in the names that every tool of S3 reads.
fn s3_state() -> S3Environment {
    let text = |name| variable(name).map(|value| value.to_string_lossy().into_owned());
    let home = variable(HOME).map(PathBuf::from);
    let in_home = |file: &str| home.as_ref().map(|home| home.join(".aws").join(file));
    let profiles = Profiles {
        credentials: variable("AWS_SHARED_CREDENTIALS_FILE").map(PathBuf::from).or_else(|| in_home("credentials")),
        config: variable("AWS_CONFIG_FILE").map(PathBuf::from).or_else(|| in_home("config")),
        is_named: variable("AWS_PROFILE").is_some(),
        name: text("AWS_PROFILE").unwrap_or_else(|| "default".to_owned()),
    };
    let settings = profiles.settings();
    let region = text("AWS_REGION").or_else(|| text("AWS_DEFAULT_REGION")).or(settings.region);
    let is_off = |name| text(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let container = text("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").map(|path| format!("{CONTAINER}{path}"));
    let container = container.or_else(|| text("AWS_CONTAINER_CREDENTIALS_FULL_URI"));
    let instance = || text("AWS_EC2_METADATA_SERVICE_ENDPOINT").unwrap_or_else(|| INSTANCE.to_owned());
    let surroundings = Surroundings {
        keys: s3_credentials().map(|S3Credentials { key, secret, token }| Keys { id: key, secret, token }),
        web_identity: web_identity(region.as_deref()),
        container: container.map(|url| Container {
            url,
            token_file: variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE").map(PathBuf::from),
        }),
        instance: (!is_off("AWS_EC2_METADATA_DISABLED")).then(instance),
        profiles,
    };
    S3Environment {
        surroundings,
        region,
        endpoint: text("AWS_ENDPOINT_URL_S3").or_else(|| text("AWS_ENDPOINT_URL")).or(settings.endpoint),
        caches: variable("XDG_CACHE_HOME").map(PathBuf::from).or_else(|| Some(home?.join(".cache"))),
    }
}

/// A role that a cluster gives by a token.
fn web_identity(region: Option<&str>) -> Option<WebIdentity> {
    let text = |name| variable(name).map(|value| value.to_string_lossy().into_owned());
    let endpoint = || {
        let amazon = |region| format!("https://sts.{region}.amazonaws.com/");
        text("AWS_ENDPOINT_URL_STS").unwrap_or_else(|| amazon(region.unwrap_or("us-east-1")))
    };
    Some(WebIdentity {
        token_file: variable("AWS_WEB_IDENTITY_TOKEN_FILE")?.into(),
        role: text("AWS_ROLE_ARN")?,
        session: text("AWS_ROLE_SESSION_NAME").unwrap_or_else(|| "databuild".to_owned()),
        endpoint: endpoint(),
    })
}

/// How the Hub is reached.
#[derive(Debug, Default)]
pub(crate) struct HubAccess {
    /// Another server than the Hub.
    pub(crate) endpoint: Option<String>,
    /// The secret that writing needs.
    pub(crate) token: Option<HubToken>,
}

/// A secret that is never shown.
pub(crate) struct HubToken(String);

impl std::fmt::Debug for HubToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HubToken(…)")
    }
}

impl std::ops::Deref for HubToken {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

/// The names and places that the Hub's own client knows: `HF_TOKEN`, else the file that a login leaves behind.
pub(crate) fn hub() -> HubAccess {
    let text = |name| variable(name).map(|value| value.to_string_lossy().into_owned());
    let home = || Some(PathBuf::from(variable(HOME)?).join(".cache/huggingface"));
    let cache = || variable("XDG_CACHE_HOME").map(|cache| PathBuf::from(cache).join("huggingface"));
    let folder = variable("HF_HOME").map(PathBuf::from).or_else(cache).or_else(home);
    let file = variable("HF_TOKEN_PATH").map(PathBuf::from).or_else(|| Some(folder?.join("token")));
    let from_file = || std::fs::read_to_string(file?).ok().filter(|token| !token.trim().is_empty());
    HubAccess { endpoint: text("HF_ENDPOINT"), token: text("HF_TOKEN").or_else(from_file).map(HubToken) }
}

/// What writing to S3 needs: credentials, region, and the server if it is not Amazon's.
pub(crate) fn bucket() -> Option<(S3Credentials, String, Option<String>)> {
    let text = |name| variable(name).map(|value| value.to_string_lossy().into_owned());
    let region = text("AWS_REGION").or_else(|| text("AWS_DEFAULT_REGION")).unwrap_or_else(|| "us-east-1".to_owned());
    let endpoint = text("AWS_ENDPOINT_URL_S3").or_else(|| text("AWS_ENDPOINT_URL"));
    Some((s3_credentials()?, region, endpoint))
}

/// Where the library may be: named by the user, installed for the user, beside the program, in the working folder's
/// tools, in the system.
fn onnx_runtime_candidates() -> Vec<PathBuf> {
    let data_home = variable(DATA_HOME).map(PathBuf::from);
    let data_home = data_home.or_else(|| Some(PathBuf::from(variable(HOME)?).join(".local/share")));
    let program = std::env::current_exe().ok();
    let beside = program.iter().flat_map(|path| path.ancestors().skip(1).take(4));
    let mut candidates: Vec<PathBuf> = variable(ONNX_RUNTIME).map(PathBuf::from).into_iter().collect();
    candidates.extend(data_home.map(|home| home.join("databuild/onnxruntime").join(LIBRARY)));
    candidates.extend(beside.map(|folder| folder.join(".tools/onnxruntime").join(LIBRARY)));
    candidates.push(Path::new(".tools/onnxruntime").join(LIBRARY));
    candidates
        .extend(["/usr/local/lib", "/usr/lib/x86_64-linux-gnu", "/usr/lib"].map(|lib| Path::new(lib).join(LIBRARY)));
    candidates
}
