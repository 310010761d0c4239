//! An S3 server on loopback: `s3s` over a folder.
//!
//! It looks whether an object is there before it writes, and two writers may do so at the same time. Amazon's does not let
//! both win; so whoever writes here is alone.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use hyper::Method;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::RwLock;
use tokio::task::JoinSet;

/// The server; it ends with this value.
pub struct S3Server {
    pub address: SocketAddr,
    _runtime: Runtime,
}

impl S3Server {
    /// Serves the folders of `folder` as buckets, to those who sign with the pair, or to everybody if there is none.
    pub fn start(folder: &Path, pair: Option<(&str, &str)>) -> Self {
        let mut service = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder).expect("a folder"));
        if let Some((key, secret)) = pair {
            service.set_auth(SimpleAuth::from_single(key, secret));
        }
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("threads");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("loopback is there");
        let address = listener.local_addr().expect("an address");
        runtime.spawn(serve(listener, service.build()));
        Self { address, _runtime: runtime }
    }
}

async fn serve(listener: TcpListener, service: S3Service) {
    let mut connections = JoinSet::new();
    let turns = Arc::new(RwLock::new(()));
    while let Ok((stream, _)) = listener.accept().await {
        let (service, turns) = (service.clone(), Arc::clone(&turns));
        let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
            let (service, turns) = (service.clone(), Arc::clone(&turns));
            async move {
                let is_reading = matches!(*request.method(), Method::GET | Method::HEAD);
                let (_reading, _writing) =
                    if is_reading { (Some(turns.read().await), None) } else { (None, Some(turns.write().await)) };
                Service::call(&service, request).await
            }
        });
        connections.spawn(async move {
            // A client that hangs up is no trouble of ours.
            drop(Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await);
        });
        while connections.try_join_next().is_some() {}
    }
}
