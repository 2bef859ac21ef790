//! How the fleet stands: the page says what the API counts, and the charts what their tables say.

use fantoccini::key::Key;
use serde_json::json;

use super::page::Page;
use super::seeded::Seeded;

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

/// Whether all of the fleet's 30 executions wait or are in flight, and the page says how many do which.
const BACKLOG: &str = r#"
    const { queue } = await (await fetch("/v1/stats")).json();
    const tile = (name) => [...document.querySelectorAll(".tiles > div")].find(({ children }) => children[0].innerText === name).children[1].innerText;
    return queue.visible + queue.in_flight === 30 && tile("Waiting") === String(queue.visible) && tile("In flight") === String(queue.in_flight)
        && document.querySelector(".rail .fleet").innerText.includes(`queue ${queue.visible} `);
"#;

/// Whether the page says how many ended by an exception, as the API does.
const EXCEPTIONS: &str = r#"
    const { minutes } = await (await fetch("/v1/stats")).json();
    const number = minutes.reduce((sum, { kinds }) => sum + (kinds.exception ?? 0), 0);
    const [row] = [...document.querySelectorAll("tbody tr")].filter(({ cells }) => cells[0].innerText === "exception");
    return number > 0 && row?.cells[1].innerText === String(number);
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
    page.until("the exceptions are not as many as the API tells", EXCEPTIONS, vec![]).await;
    read_by_keys(&page).await;
    fleet.create("slow", "sleep 600", json!({"timeout_ms": 600_000})).await;
    for n in 0..30 {
        fleet.submit("slow", &json!(n)).await;
    }
    page.until("the backlog is not what the API tells", BACKLOG, vec![]).await;
    page.until("a chart and its table differ", NEWEST, vec![]).await;
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
