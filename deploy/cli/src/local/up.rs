//! `badlambda up`: the whole system, until it is told to stop.

use std::io::IsTerminal as _;
use std::path::Path;

use anyhow::Context as _;
use badlambda_shared::process::config::{self, Environment};
use badlambda_shared::process::shutdown::Shutdown;
use badlambda_shared::process::telemetry;
use console::style;

use crate::arguments::UpArguments;
use crate::connection::{DATA, announce};
use crate::local::system::{Addresses, System, SystemOptions, isolation_notice};

/// Who watches wants to know what ends, and what is wrong; not with which settings each part has started.
const WATCHED: &str = "info,badlambda_api::config=warn,badlambda_worker=warn,badlambda_worker::settle=info";

/// Serves until a signal.
pub async fn up(arguments: UpArguments) -> anyhow::Result<()> {
    // Scripts read a line of JSON from stdout.
    let is_watched = std::io::stdout().is_terminal();
    let environment = Environment::from_process()?;
    let _telemetry = match is_watched && std::io::stderr().is_terminal() {
        true => telemetry::init_for_person(&environment, "badlambda", WATCHED)?,
        false => telemetry::init(&environment, "badlambda", "info")?,
    };
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
    if is_watched {
        println!("{}", panel(&addresses, &data));
    } else {
        println!("{}", serde_json::to_string(&addresses)?);
        eprintln!("{}", greeting(&addresses));
    }
    let ended = system.ended().await;
    system.stop().await.and(ended)
}

/// What a person wants to know, and may type next.
fn panel(addresses: &Addresses, data: &Path) -> String {
    let api = addresses.api.as_deref().unwrap_or_default();
    let Addresses { aws, queue_url, bucket, .. } = addresses;
    // In the folder where its data lies as usual, commands find it by themselves.
    let told = if data == Path::new(DATA) { String::new() } else { format!(" --url {api}") };
    let line =
        |name: &str, value: &str| format!("  {} {}", style(format!("{name:8}")).dim(), style(value).cyan());
    let typed = |command: String| format!("    {}", style(command).bold());
    let credentials = format!("bucket {bucket}, credentials in {}", data.join("credentials.json").display());
    [
        format!("\n  {}\n", style("Bad Lambda serves. Ctrl-C ends it.").green().bold()),
        line("API", api),
        format!("{}  {}", line("SQS, S3", aws), style(credentials).dim()),
        line("queue", queue_url),
        "\n  Type next, in another terminal and the same folder:".to_owned(),
        typed(r##"echo '{ greeting: "Hello, #{event["name"]}!" }' > hello.rb"##.to_owned()),
        typed(format!("badlambda deploy hello.rb{told}")),
        typed(format!(r#"badlambda invoke hello '{{"name": "Ada"}}'{told}"#)),
        String::new(),
    ]
    .join("\n")
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
