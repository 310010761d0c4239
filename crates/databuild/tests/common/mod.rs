//! What tests of the whole binary share.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The binary, in the folder of the workspace: tools are looked for below it.
pub(crate) fn databuild() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_databuild"));
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).stdin(Stdio::null());
    command
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What a run needs is installed; says why not, where it is not.
#[expect(clippy::print_stdout, reason = "whoever runs the tests wants to know what was not tested")]
pub(crate) fn is_equipped() -> bool {
    static EQUIPPED: OnceLock<bool> = OnceLock::new();
    *EQUIPPED.get_or_init(|| {
        let doctor = databuild().arg("doctor").output().expect("the binary");
        if !doctor.status.success() {
            println!("skipped: `databuild doctor` says\n{}", text(&doctor.stdout));
        }
        doctor.status.success()
    })
}
