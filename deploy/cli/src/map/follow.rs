//! Reading the results of a map while they come.

use std::time::Duration;

use badlambda_client::{Client, Error};
use badlambda_shared::map::{Map, MapStatus};

use super::bar::Bar;
use super::lines::ItemLines;
use crate::output::Failure;

/// The first looks follow one another faster, since a map may be small.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// So many looks in a row may fail, a second apart.
const MOST_FAILURES: u32 = 10;

/// Prints what came of the inputs from this index on, until the map has ended.
pub(super) async fn follow(
    client: &Client,
    map: Map,
    from: u64,
    mut lines: ItemLines,
) -> Result<(), Failure> {
    let resume = |next: u64| {
        let (function, id) = (&map.function, &map.id);
        format!("the map goes on: read on with `badlambda map {function} --resume {id} --from {next}`")
    };
    let bar = Bar::of(&map);
    let mut next = from;
    let ended = tokio::select! {
        biased;
        ended = read_to_end(client, &map, &mut next, &mut lines, &bar) => ended,
        _ = tokio::signal::ctrl_c() => Err(Failure::Interrupted("interrupted".to_owned())),
    };
    let flushed = lines.flush();
    drop(bar);
    match ended {
        Ok(map) => flushed.and_then(|()| failure_of(&map)),
        Err(Failure::Interrupted(what)) => Err(Failure::Interrupted(format!("{what}; {}", resume(next)))),
        Err(Failure::Ours(what)) => Err(Failure::Ours(format!("{what}; {}", resume(next)))),
        Err(other) => Err(other),
    }
}

async fn read_to_end(
    client: &Client,
    map: &Map,
    next: &mut u64,
    lines: &mut ItemLines,
    bar: &Bar,
) -> Result<Map, Failure> {
    let (mut pause, mut failures) = (FIRST_PAUSE, 0);
    loop {
        match look(client, map, next, lines, bar).await {
            Ok(map) if map.status.is_final() => return Ok(map),
            Ok(_) => failures = 0,
            Err(Look::Api(error)) if may_pass(&error) && failures < MOST_FAILURES => {
                failures += 1;
                pause = LONGEST_PAUSE;
            }
            Err(Look::Api(error)) => return Err(error.into()),
            Err(Look::Output(failure)) => return Err(failure),
        }
        lines.flush()?;
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Why a look failed.
enum Look {
    Api(Error),
    Output(Failure),
}

/// Looks how far the map is, and reads the results that are new.
async fn look(
    client: &Client,
    map: &Map,
    next: &mut u64,
    lines: &mut ItemLines,
    bar: &Bar,
) -> Result<Map, Look> {
    let now = client.get_map(&map.function, &map.id, None).await.map_err(Look::Api)?;
    bar.show(&now);
    if now.succeeded + now.failed > *next || now.status == MapStatus::Cancelled {
        let mut results = client.get_map_results(&map.function, &map.id, *next).await.map_err(Look::Api)?;
        while let Some(line) = results.next_line().await.map_err(Look::Api)? {
            *next = lines.take(line).map_err(Look::Output)? + 1;
        }
    }
    Ok(now)
}

/// Whether the same may work in a moment: nobody answers, or it is the API's own failure.
fn may_pass(error: &Error) -> bool {
    match error {
        Error::Unreachable { .. } | Error::BrokenOff { .. } => true,
        Error::Problem(problem) => problem.status == 429 || problem.status >= 500,
        _ => false,
    }
}

/// That not all inputs have a result.
fn failure_of(map: &Map) -> Result<(), Failure> {
    if map.status == MapStatus::Cancelled {
        return Err(Failure::FunctionFailed("the map was cancelled".to_owned()));
    }
    if map.failed == 0 {
        return Ok(());
    }
    let kinds: Vec<String> =
        map.kinds.iter().map(|(kind, count)| format!("{} {count}", kind.name())).collect();
    let (failed, total) = (map.failed, map.total);
    Err(Failure::FunctionFailed(format!("{failed} of {total} inputs failed: {}", kinds.join(", "))))
}
