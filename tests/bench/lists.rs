//! How long lists of a million executions take, and what of the index an API holds in memory.

use std::time::{Duration, Instant};

use anyhow::ensure;
use badlambda_shared::execution::id::ExecutionId;
use badlambda_shared::execution::{ErrorKind, Status, Usage};
use badlambda_shared::function::name::FunctionName;
use badlambda_shared::index::{Hour, Line, store_lines};
use badlambda_shared::timestamp::Timestamp;
use badlambda_tests::addresses;
use serde_json::value::to_raw_value;
use serde_json::{Value, json};

use crate::fixture::{Fleet, wait_until_ready};
use crate::processes;
use crate::report::Report;

/// About a million in all.
const HOURS: i64 = 24;
const IN_AN_HOUR: i64 = 40_900;
/// One execution in so many has failed by a timeout.
const RARE: usize = 1_000;
/// What the index of the present hour looks like: a worker's segments, one every 3 s.
const RECENT: i64 = 60;
const LINES_OF_RECENT: i64 = 300;
const WARM_LISTS: usize = 20;

/// Lists by an API that has read nothing yet, and by the same again; on loopback, and with an S3 as far away as AWS's.
pub async fn measure() -> anyhow::Result<Report> {
    let fleet = Fleet::start().await?;
    let executions = fill(&fleet).await?;
    let mut report = Report::default();
    let proxy = fleet.delayed()?;
    for (aws, where_) in [(fleet.url(), ""), (proxy.url.as_str(), ", at AWS's latencies")] {
        let newest = "/v1/executions?limit=50".to_owned();
        let rare = "/v1/executions?kind=timeout&limit=1000&since=25h".to_owned();
        for (what, path, count) in
            [("newest 50", newest, 50), ("1 in 1,000 of a day", rare, executions / RARE)]
        {
            let (api, address) = fleet.api(aws)?;
            let http = reqwest::Client::builder().no_proxy().build()?;
            wait_until_ready(&http, &address).await?;
            let list = async || -> anyhow::Result<Duration> {
                let asked_at = Instant::now();
                let page: Value = http.get(format!("{address}{path}")).send().await?.json().await?;
                let found = page["executions"].as_array().map_or(0, Vec::len);
                ensure!(found == count, "{path}: {found} executions, and not {count}");
                Ok(asked_at.elapsed())
            };
            report.add(
                format!("{what} of a million, cold{where_}"),
                list().await?.as_secs_f64() * 1000.0,
                "ms",
            );
            let mut warm = vec![];
            for _ in 0..WARM_LISTS {
                warm.push(list().await?);
            }
            report.add_latencies(&format!("{what} of a million, warm{where_}"), warm);
            let resident = processes::mib(api.0[0].id(), "Rss").unwrap_or_default();
            report.add(format!("{what} of a million: resident memory of the API{where_}"), resident, "MiB");
        }
    }
    Ok(report)
}

/// Segments as compaction leaves them for hours that are over, and as a worker stores them for the present one. Returns
/// how many executions they list.
async fn fill(fleet: &Fleet) -> anyhow::Result<usize> {
    let store = addresses::store(&fleet.addresses);
    let (present, now) = (Hour::now(), Timestamp::now().unix_ms());
    let mut numbers = 1..;
    let mut lines = |count: i64, at: &dyn Fn(i64) -> i64| -> anyhow::Result<Vec<Line>> {
        (0..count).zip(&mut numbers).map(|(n, number)| line(number, at(n))).collect()
    };
    for back in 1..=HOURS {
        let begin = present.before(back).begins_at_ms();
        store_lines(&store, lines(IN_AN_HOUR, &|n| begin + n * 3_600_000 / IN_AN_HOUR)?).await?;
    }
    for segment in 0..RECENT {
        // Within the present hour, however young it is.
        let at = now - (now - present.begins_at_ms()) * segment / RECENT;
        store_lines(&store, lines(LINES_OF_RECENT, &|_| at)?).await?;
    }
    Ok((HOURS * IN_AN_HOUR + RECENT * LINES_OF_RECENT) as usize)
}

fn line(number: usize, at_ms: i64) -> anyhow::Result<Line> {
    let function: FunctionName = format!("function-{}", number % 50).parse()?;
    let failed = number.is_multiple_of(RARE);
    Ok(Line {
        id: ExecutionId::issue(&function),
        function,
        version: Some(3),
        status: if failed { Status::Failed } else { Status::Succeeded },
        kind: failed.then_some(ErrorKind::Timeout),
        submitted_ms: at_ms - 20,
        started_ms: Some(at_ms - 3),
        at_ms,
        attempts: 1,
        usage: Some(Usage { wall_ms: 1.893, cpu_ms: 1.105, max_rss_bytes: 23_068_672 }),
        message: failed.then(|| "the function ran for longer than config.timeout_ms, 30000 ms".to_owned()),
        result: Some(to_raw_value(&json!({ "greeting": format!("Hello, {number}!") }))?).filter(|_| !failed),
    })
}
