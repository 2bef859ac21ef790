//! What is AWS Lambda's: `Invoke` beside a submit that waits, and code in zips: unpacking one, its first run, its later ones.

use std::io;
use std::time::{Duration, Instant};

use anyhow::ensure;
use badlambda_client::{Client, Code, FunctionContent, Submit};
use badlambda_shared::execution::Status;
use badlambda_shared::function::name::FunctionName;
use badlambda_shared::function::package::Packer;
use badlambda_worker::sandbox::Executor;
use rand::{RngCore, SeedableRng as _};
use serde_json::json;
use tokio::task::spawn_blocking;

use crate::executor::Setting;
use crate::fixture::{Fleet, Programs, wait_until_ready};
use crate::report::{Report, median};

const WARM_UP: usize = 20;
const CALLS: usize = 500;
const ZIPS: u64 = 7;
/// Files in a zip, and bytes of each. Their content is random, so that the zip is as large as what is in it.
const FILES: usize = 250;
const FILE_BYTES: usize = 40 * 1024;
/// Whichever is here finds the gem.
const RUBY_VERSIONS: [&str; 3] = ["3.1.0", "3.3.0", "3.4.0"];
const GEM_SPECIFICATION: &[u8] =
    b"Gem::Specification.new { |s| s.name = \"shout\"; s.version = \"1.0.0\"; s.summary = s.authors = \"shout\" }\n";

/// All of it.
pub async fn measure() -> anyhow::Result<Report> {
    let mut report = Report::default();
    let fleet = Fleet::start().await?;
    let (_api, address) = fleet.api(fleet.url())?;
    let http = reqwest::Client::builder().no_proxy().build()?;
    wait_until_ready(&http, &address).await?;
    let _worker = Programs(vec![fleet.worker(fleet.url(), &[])?]);
    let client = Client::new(address.parse()?, None)?;
    beside_a_submit(&mut report, &client, &http, &address).await?;
    first_and_later_runs(&mut report, &client).await?;
    spawn_blocking(move || unpack(report)).await?
}

/// The two in turns, so that what else the machine does meets both alike.
async fn beside_a_submit(
    report: &mut Report,
    client: &Client,
    http: &reqwest::Client,
    address: &str,
) -> anyhow::Result<()> {
    let invoke = format!("{address}/2015-03-31/functions/hello/invocations");
    let (mut submits, mut invocations) = (vec![], vec![]);
    for n in 0..WARM_UP + CALLS {
        submits.push(timed_run(client, &"hello".parse()?, &n.to_string()).await?);
        let begun_at = Instant::now();
        let answer = http.post(&invoke).body(n.to_string()).send().await?;
        ensure!(answer.status() == 200 && !answer.headers().contains_key("x-amz-function-error"));
        ensure!(answer.text().await? == format!("{{\"greeting\":\"Hello, {n}!\"}}"), "another result");
        invocations.push(begun_at.elapsed());
    }
    report.add_latencies("a submit that waits", submits.split_off(WARM_UP));
    report.add_latencies("Invoke", invocations.split_off(WARM_UP));
    Ok(())
}

async fn first_and_later_runs(report: &mut Report, client: &Client) -> anyhow::Result<()> {
    let (mut first, mut second, mut third) = (vec![], vec![], vec![]);
    for n in 0..ZIPS {
        let name: FunctionName = format!("zip-{n}").parse()?;
        let code = Code::Zip(zip_with_a_gem(n)?);
        client.create_function(&name, &FunctionContent { code: &code, config: &json!({}) }, false).await?;
        for times in [&mut first, &mut second, &mut third] {
            times.push(timed_run(client, &name, "{}").await?.as_secs_f64() * 1000.0);
        }
    }
    for (which, times) in [("first", first), ("second", second), ("third", third)] {
        report.add(format!("{which} run of a 10 MB zip with a gem"), median(times), "ms");
    }
    Ok(())
}

async fn timed_run(client: &Client, function: &FunctionName, input: &str) -> anyhow::Result<Duration> {
    let submit = Submit { wait: Some(Duration::from_secs(30)), ..Submit::default() };
    let begun_at = Instant::now();
    let execution = client.execute_function(function, input.to_owned(), &submit).await?;
    ensure!(execution.status == Status::Succeeded, "{execution:?}");
    Ok(begun_at.elapsed())
}

fn unpack(mut report: Report) -> anyhow::Result<Report> {
    let executor: Executor = Setting::confined(1).start()?;
    let (mut times, mut megabytes) = (vec![], vec![]);
    for n in 0..ZIPS {
        let zip = zip_with_a_gem(ZIPS + n)?;
        megabytes.push(zip.len() as f64 / 1e6);
        let begun_at = Instant::now();
        executor.unpack(&[zip])?;
        times.push(begun_at.elapsed().as_secs_f64() * 1000.0);
    }
    report.add("bytes of the zip", median(megabytes), "MB");
    report.add("unpacking it", median(times), "ms");
    Ok(report)
}

/// A handler, a gem that it requires, and as much beside them as makes 10 MB.
fn zip_with_a_gem(seed: u64) -> io::Result<Vec<u8>> {
    let mut packer = Packer::default();
    let handler = b"require \"shout\"\ndef handler(event:, context:) = Shout.at(\"Ada\")\n";
    packer.file("function.rb", handler, false)?;
    for version in RUBY_VERSIONS {
        let gems = format!("vendor/bundle/ruby/{version}");
        let specification = format!("{gems}/specifications/shout-1.0.0.gemspec");
        packer.file(&specification, GEM_SPECIFICATION, false)?;
        let library = b"module Shout; def self.at(name) = name.upcase; end\n";
        packer.file(&format!("{gems}/gems/shout-1.0.0/lib/shout.rb"), library, false)?;
    }
    let mut random = rand::rngs::StdRng::seed_from_u64(seed);
    for file in 0..FILES {
        let mut content = vec![0; FILE_BYTES];
        random.fill_bytes(&mut content);
        packer.file(&format!("data/{file}.bin"), &content, false)?;
    }
    packer.finish()
}
