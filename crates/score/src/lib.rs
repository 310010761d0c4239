//! Numbers from ONNX models.
