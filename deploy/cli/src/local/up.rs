//! `badlambda up`: the whole system, until it is told to stop.

use anyhow::Context as _;
use badlambda_shared::config::{self, Environment};
use badlambda_shared::shutdown::Shutdown;
use badlambda_shared::telemetry;

use crate::arguments::UpArguments;
use crate::connection::announce;
use crate::local::system::{Addresses, System, SystemOptions, isolation_notice};

/// Serves until a signal.
pub async fn up(arguments: UpArguments) -> anyhow::Result<()> {
    let _telemetry = telemetry::init(&Environment::from_process()?, "badlambda", "info")?;
    if let Some(notice) = isolation_notice()? {
        eprintln!("{notice}");
    }
    let aws_listen = arguments.aws_listen();
    let UpArguments { listen, data, slots, .. } = arguments;
    let shutdown = Shutdown::on_signals()?;
    let settings = slots.map(|slots| (config::SLOTS, slots.to_string())).into_iter().collect();
    let options = SystemOptions { listen, aws_listen, data: data.clone(), settings };
    let mut system = System::start(options, shutdown).await?;
    let addresses = Addresses::of(&system.aws, Some(system.api));
    let _announced = announce(&data, &format!("http://{}", system.api))
        .with_context(|| format!("could not write the API's address to {}", data.display()))?;
    println!("{}", serde_json::to_string(&addresses)?);
    eprintln!("{}", greeting(&addresses));
    let ended = system.ended().await;
    system.stop().await.and(ended)
}

fn greeting(addresses: &Addresses) -> String {
    let api = addresses.api.as_deref().unwrap_or_default();
    let Addresses { aws, queue_url, bucket, access_key_id, secret_access_key, region, .. } = addresses;
    format!(
        r#"
Bad Lambda serves.

  API        {api}
  SQS, S3    {aws}   (bucket {bucket})
  queue      {queue_url}

Try it:
  curl -s {api}/v1/functions -H 'Content-Type: application/json' \
    -d '{{"name": "hello", "code": "{{ greeting: \"Hello, #{{event.fetch(\"name\")}}!\" }}"}}'
  curl -s {api}/v1/functions/hello/executions -H 'Prefer: wait=10' -d '{{"name": "Ada"}}'

From another system, with boto3:
  sqs = boto3.client("sqs", endpoint_url="{aws}", region_name="{region}",
                     aws_access_key_id="{access_key_id}", aws_secret_access_key="{secret_access_key}")
  sqs.send_message(QueueUrl="{queue_url}", MessageBody='{{"name": "Ada"}}',
                   MessageAttributes={{"function": {{"DataType": "String", "StringValue": "hello"}}}})
"#
    )
}
