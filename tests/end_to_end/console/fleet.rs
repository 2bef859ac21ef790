//! How the fleet stands: the page says what the API counts, and the charts what their tables say.

use fantoccini::key::Key;
use serde_json::json;

use super::page::Page;
use super::seeded::Seeded;
use super::told;

/// Whether the first row of each chart's table says what the chart's newest point says.
const NEWEST: &str = r#"
    const texts = (elements) => [...elements].map(({ textContent }) => textContent);
    const cards = [...document.querySelectorAll(".card:has([aria-valuetext])")];
    return cards.length === 4 && cards.every((card) => {
        const names = texts(card.querySelectorAll("thead th")).slice(1);
        const [when, ...values] = texts(card.querySelector("tbody tr").cells);
        const told = `${when}: ${names.map((name, at) => `${name} ${values[at]}`).join(", ")}`;
        return card.querySelector("[aria-valuetext]").getAttribute("aria-valuetext") === told;
    });
"#;

/// Whether the table of how long runs took has what the API tells of each minute.
const MINUTES: &str = r#"
    const { duration } = await import("/base/format.js");
    const { minutes } = await (await fetch("/v1/stats")).json();
    const rows = [...document.querySelectorAll("[aria-label='Run as a table'] tbody tr")].reverse();
    return minutes.some(({ run_ms }) => run_ms) && rows.length === minutes.length && rows.every(({ cells }, at) =>
        cells[1].textContent === duration(minutes[at].run_ms?.p50) && cells[2].textContent === duration(minutes[at].run_ms?.p99));
"#;

#[tokio::test]
async fn its_numbers_are_those_of_the_api_and_charts_say_what_their_tables_say() {
    let Seeded { fleet, .. } = Seeded::start().await;
    let page = Page::open(&fleet, "/fleet").await;
    for text in ["Waiting 0", "Oldest –", "In flight 0", "Workers 1", "Dead letters 2"] {
        page.shows(".tiles > div", text).await;
    }
    page.see("Nothing waits.").await;
    page.until("a chart and its table differ", NEWEST, vec![]).await;
    page.until("the table of runs is not what the API tells", MINUTES, vec![]).await;
    let stats = told(&fleet, "/v1/stats").await;
    let minutes = stats["minutes"].as_array().unwrap();
    let exceptions: u64 = minutes.iter().filter_map(|minute| minute["kinds"]["exception"].as_u64()).sum();
    assert!(exceptions > 0, "{minutes:?}");
    page.shows("tbody tr", &format!("exception {exceptions}")).await;
    read_by_keys(&page).await;
    fleet.create("slow", "sleep 60", json!({})).await;
    for n in 0..30 {
        fleet.submit("slow", &json!(n)).await;
    }
    loop {
        let queue = &told(&fleet, "/v1/stats").await["queue"];
        if queue["visible"].as_u64().unwrap() + queue["in_flight"].as_u64().unwrap() == 30 {
            page.shows(".tiles > div", &format!("Waiting {}", queue["visible"])).await;
            page.shows(".tiles > div", &format!("In flight {}", queue["in_flight"])).await;
            page.shows(".rail .fleet", &format!("queue {}", queue["visible"])).await;
            page.until("a chart and its table differ", NEWEST, vec![]).await;
            break;
        }
    }
    page.press("exception").await;
    page.stands_at("/executions?q=status%3Afailed+kind%3Aexception+since%3A15m").await;
    page.close().await;
}

/// A point of a chart by keys, and its table by a button.
async fn read_by_keys(page: &Page) {
    page.browser.run("document.querySelector('[aria-label=\"Run, by time\"]').focus()", vec![]).await;
    page.keys(Key::Left + &Key::Left).await;
    let third = "const row = document.querySelectorAll(\"[aria-label='Run as a table'] tbody tr\")[2]; \
        return document.activeElement.getAttribute('aria-valuetext').startsWith(`${row.cells[0].textContent}: `)";
    page.until("the third point from the end is not told", third, vec![]).await;
    page.keys(Key::Escape).await;
    page.press("Table: Run").await;
    let shown = "return document.querySelector(\"[aria-label='Run as a table']\").checkVisibility() \
        && !document.querySelector('[aria-label=\"Run, by time\"]').checkVisibility()";
    page.until("the table is not shown", shown, vec![]).await;
}
