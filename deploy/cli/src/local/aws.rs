//! `badlambda aws`: the embedded SQS and S3 alone, until they are told to stop.

use anyhow::Context;
use badlambda_local::LocalAwsConfig;
use badlambda_shared::process::config::Environment;
use badlambda_shared::process::shutdown::Shutdown;
use badlambda_shared::process::telemetry;

use crate::arguments::AwsArguments;
use crate::local::system::Addresses;

/// Serves until a signal.
pub async fn aws(arguments: AwsArguments) -> anyhow::Result<()> {
    let _telemetry = telemetry::init(&Environment::from_process()?, "badlambda", "info")?;
    let shutdown = Shutdown::on_signals()?;
    let config = LocalAwsConfig::new(arguments.listen, arguments.data);
    let aws = badlambda_local::start(config).await.context("the embedded SQS and S3 can't start")?;
    println!("{}", serde_json::to_string(&Addresses::of(&aws, None))?);
    shutdown.soft.cancelled().await;
    aws.shutdown().await;
    Ok(())
}
