//! What the tests with a real ONNX Runtime share.

use std::path::Path;

use score::Runtime;

/// The library that `infra/setup.sh` installs; says that a test is skipped where it is not.
pub(crate) fn runtime() -> Option<Runtime> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools/onnxruntime/libonnxruntime.so");
    if !path.exists() {
        skip(&format!("no ONNX Runtime at {}", path.display()));
        return None;
    }
    Some(Runtime::load(&path).expect("the installed library"))
}

#[expect(clippy::print_stdout, reason = "a skipped test says why")]
pub(crate) fn skip(reason: &str) {
    println!("skipped: {reason}");
}
