//! The store that a pipeline file names: a folder, or a prefix in S3.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use store::s3::{BucketStyle, CacheConfig, Chain, InvalidAddress, S3Address, S3Patience, S3Server, Surroundings};
use store::{LocalStore, S3Store, Store};

use crate::file::{Addressing, S3Config};
use crate::{Environment, Loaded, PipelineError};

/// What the environment says about S3.
#[derive(Debug, Clone, Default)]
pub struct S3Environment {
    /// Who we are.
    pub surroundings: Surroundings,
    /// Region of buckets, if the environment or the profile names one.
    pub region: Option<String>,
    /// The server, if it is not Amazon's.
    pub endpoint: Option<String>,
    /// The user's folder for caches, if the user has one.
    pub caches: Option<PathBuf>,
}

const REGION: &str = "us-east-1";
const GB: u64 = 1_000_000_000;

/// Opens the store that a pipeline file names.
pub fn open_store(loaded: &Loaded, environment: &Environment) -> Result<Arc<dyn Store>, PipelineError> {
    let Loaded { file, base } = loaded;
    let named = &file.run.store;
    if !S3Address::is_meant(named) {
        return Ok(Arc::new(LocalStore::open(base.join(named)).map_err(PipelineError::Store)?));
    }
    let place = S3Place::new(named, &file.s3, base, &environment.s3_state).map_err(PipelineError::Address)?;
    Ok(Arc::new(place.open().map_err(PipelineError::Store)?))
}

/// A prefix in S3, and everything that is needed to get there.
#[derive(Debug, Clone)]
pub struct S3Place {
    address: S3Address,
    server: S3Server,
    credentials: Chain,
    cache: CacheConfig,
}

impl S3Place {
    /// The prefix `address`; what the configuration leaves open, the environment says.
    pub fn new(
        address: &str,
        config: &S3Config,
        base: &Path,
        environment: &S3Environment,
    ) -> Result<Self, InvalidAddress> {
        let set = |value: &str| Some(value.to_owned()).filter(|value| !value.is_empty());
        let style = match config.addressing {
            Addressing::Auto => BucketStyle::Auto,
            Addressing::Path => BucketStyle::Path,
            Addressing::Host => BucketStyle::Host,
        };
        let server = S3Server {
            region: set(&config.region).or_else(|| environment.region.clone()).unwrap_or_else(|| REGION.to_owned()),
            endpoint: set(&config.endpoint).or_else(|| environment.endpoint.clone()),
            style,
            patience: S3Patience::default(),
        };
        let caches = || environment.caches.as_ref().map(|caches| caches.join("databuild/s3"));
        let folder = set(&config.cache).map(|cache| base.join(cache)).or_else(caches);
        // A user without a home: beside the file, where a local store would be.
        let folder = folder.unwrap_or_else(|| base.join(".databuild-cache"));
        let cache = CacheConfig { folder, bytes_max: config.cache_gb.saturating_mul(GB) };
        Ok(Self { address: address.parse()?, server, credentials: Chain::new(&environment.surroundings), cache })
    }

    /// Opens it as a store.
    pub fn open(&self) -> Result<S3Store, store::StoreError> {
        S3Store::open(&self.address, &self.server, self.credentials.clone(), &self.cache)
    }

    /// Opens it to read, whether it is a store or not.
    pub fn reading(&self) -> Result<S3Store, store::StoreError> {
        S3Store::reading(&self.address, &self.server, self.credentials.clone(), &self.cache)
    }

    /// As whom, and where, for people.
    pub fn says(&self) -> String {
        let server = self.server.endpoint.as_deref().unwrap_or("Amazon's server");
        format!("{} at {server}, region {}, as {}", self.address, self.server.region, self.credentials.says())
    }
}
