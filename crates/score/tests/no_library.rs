//! A process that has not loaded ONNX Runtime yet and is given something else.

use std::error::Error as _;

use score::{Runtime, ScoreError};

#[test]
fn text_is_no_library() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("libonnxruntime.so");
    std::fs::write(&path, "text").expect("new file");
    let error = Runtime::load(&path).expect_err("no library");
    assert!(matches!(error, ScoreError::RuntimeLoad { .. }), "{error:?}");
    assert!(error.to_string().contains("libonnxruntime.so"), "{error}");
    assert!(error.source().is_some());
}
