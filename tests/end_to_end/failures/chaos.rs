//! The short form of what `badlambda-chaos` does at length.

use crate::fixtures::fleet::programs;

#[tokio::test]
async fn nothing_is_lost_on_a_bad_day() {
    let mut chaos = std::process::Command::new(programs().join("badlambda-chaos"));
    chaos.args(["--executions", "300", "--map-items", "2000", "--seed", "1"]).env("RUST_BACKTRACE", "0");
    let output = tokio::task::spawn_blocking(move || chaos.output().unwrap()).await.unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
}
