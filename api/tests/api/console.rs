//! The console's files, as a browser asks for them. What the page does, the end-to-end tests try in one.

use std::path::Path;

use reqwest::{Method, StatusCode};

use crate::fixture::{Answer, Api, send_unchecked};

async fn get(api: &Api, path: &str, headers: &[(&str, &str)]) -> Answer {
    let asked = headers
        .iter()
        .fold(api.request(Method::GET, path), |asked, (name, value)| asked.header(*name, *value));
    send_unchecked(asked).await
}

#[tokio::test]
async fn the_page_is_at_the_root_and_may_load_only_its_own() {
    let api = Api::start_with(&[("BADLAMBDA_API_TOKEN", "root-0123456789abcdef")]).await;
    let page = get(&api, "/", &[]).await;
    assert_eq!((page.status, page.headers["content-type"].as_str()), (StatusCode::OK, "text/html"));
    let policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
        base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";
    assert_eq!(page.headers["content-security-policy"], policy);
    assert_eq!(page.headers["x-content-type-options"], "nosniff");
    assert_eq!(page.headers["cache-control"], "no-cache");
    let script = get(&api, "/main.js", &[]).await;
    assert!(script.headers["content-type"].starts_with("text/javascript"), "{script:?}");
    // What is beside the files, for those who work on them, is not served.
    for missing in ["/tsconfig.json", "/vendor/update", "/nothing.js", "/../Cargo.toml", "/v1/nothing"] {
        assert_eq!(get(&api, missing, &[]).await.problem(), (404, "not_found".to_owned()), "{missing}");
    }
    assert_eq!(send_unchecked(api.request(Method::POST, "/")).await.problem().0, 405);
}

#[tokio::test]
async fn a_file_comes_compressed_and_once() {
    let api = Api::start().await;
    let whole = get(&api, "/style/parts.css", &[]).await;
    let small = get(&api, "/style/parts.css", &[("accept-encoding", "gzip")]).await;
    assert_eq!(small.headers["content-encoding"], "gzip");
    let bytes = |answer: &Answer| answer.headers["content-length"].parse::<usize>().unwrap();
    assert!(bytes(&small) * 2 < bytes(&whole), "{} of {}", bytes(&small), bytes(&whole));
    let again = get(&api, "/style/parts.css", &[("if-none-match", &whole.headers["etag"])]).await;
    assert_eq!((again.status, again.text.as_str()), (StatusCode::NOT_MODIFIED, ""));
}

/// The paths of all files below a folder that are served.
fn paths(folder: &Path, at: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let found = |entry: std::fs::DirEntry| {
        let path = format!("{at}/{}", entry.file_name().to_str().unwrap());
        match entry.path().extension().and_then(|extension| extension.to_str()) {
            _ if entry.file_type().unwrap().is_dir() => paths(&entry.path(), &path),
            Some("html" | "css" | "js" | "svg") => vec![path],
            _ => vec![],
        }
    };
    entries.flat_map(found).collect()
}

#[tokio::test]
async fn all_of_it_is_small() {
    let api = Api::start().await;
    let (mut raw, mut compressed) = (0, 0);
    for path in paths(&Path::new(env!("CARGO_MANIFEST_DIR")).join("console"), "") {
        let path = path.replace("/index.html", "/");
        let whole = get(&api, &path, &[]).await;
        assert_eq!(whole.status, StatusCode::OK, "{path}");
        let small = get(&api, &path, &[("accept-encoding", "gzip")]).await;
        println!("{path} {} {}", whole.headers["content-length"], small.headers["content-length"]);
        raw += whole.text.len();
        compressed += small.headers["content-length"].parse::<usize>().unwrap();
    }
    println!("{raw} bytes, {compressed} compressed");
    assert!(raw <= 150 * 1024, "{raw} bytes");
}
