//! A bucket of S3 on loopback. Signatures are looked for, not checked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::http::{Answer, Asked, serve};

type Objects = BTreeMap<String, (Vec<u8>, String)>;

pub(crate) struct StubBucket {
    pub(crate) endpoint: String,
    objects: Arc<Mutex<Objects>>,
    stumbles: Arc<Mutex<usize>>,
}

impl StubBucket {
    pub(crate) fn start() -> Self {
        let (objects, stumbles): (Arc<Mutex<Objects>>, Arc<Mutex<usize>>) = (Arc::default(), Arc::default());
        let (own, left) = (Arc::clone(&objects), Arc::clone(&stumbles));
        let endpoint = serve(move |asked| {
            let mut left = left.lock().expect("the count");
            if *left > 0 {
                *left -= 1;
                return Answer::error(503, "SlowDown");
            }
            answer(&mut own.lock().expect("the objects"), asked)
        });
        Self { endpoint, objects, stumbles }
    }

    /// The next requests are refused.
    pub(crate) fn stumble(&self, times: usize) {
        *self.stumbles.lock().expect("the count") = times;
    }

    /// Names and contents.
    pub(crate) fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        let objects = self.objects.lock().expect("the objects");
        objects.iter().map(|(name, (content, _))| (name.clone(), content.clone())).collect()
    }
}

fn answer(objects: &mut Objects, asked: &Asked) -> Answer {
    if !asked.query.contains_key("X-Amz-Signature") {
        return Answer::error(403, "AccessDenied");
    }
    match (asked.method.as_str(), objects.get(&asked.path)) {
        ("PUT", _) => {
            let signed =
                asked.query.get("X-Amz-SignedHeaders").is_some_and(|names| names.contains("x-amz-meta-sha256"));
            let Some(sha256) = asked.headers.get("x-amz-meta-sha256").filter(|_| signed) else {
                return Answer::error(403, "SignatureDoesNotMatch");
            };
            objects.insert(asked.path.clone(), (asked.body.clone(), sha256.clone()));
            Answer::new(200, "")
        }
        ("DELETE", _) => {
            objects.remove(&asked.path);
            Answer::new(204, "")
        }
        (_, None) => Answer::error(404, "NoSuchKey"),
        (_, Some((content, sha256))) => Answer::new(200, content.clone()).with("x-amz-meta-sha256", sha256.clone()),
    }
}
