//! The life of a function: made, shown, changed, listed, deleted.

use badlambda_shared::function::Manifest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{FUNCTIONS, ROLE, arn, to_create, zip};
use crate::fixture::Api;

#[tokio::test]
async fn a_function_has_awss_shape() {
    let api = Api::start().await;
    let code = zip("def handler(event:, context:) = event");
    let created = api.wire_create("hello").await;
    let expected = json!({
        "Architectures": ["x86_64"], "CodeSha256": STANDARD.encode(Sha256::digest(&code)),
        "CodeSize": code.len(), "Description": "", "EphemeralStorage": {"Size": 512}, "FunctionArn": arn("hello"),
        "FunctionName": "hello", "Handler": "function.handler", "LastModified": created["LastModified"],
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/aws/lambda/hello"}, "MemorySize": 128,
        "PackageType": "Zip", "RevisionId": created["RevisionId"], "Role": ROLE, "Runtime": "ruby3.4",
        "RuntimeVersionConfig": created["RuntimeVersionConfig"],
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"}, "State": "Active", "Timeout": 3,
        "TracingConfig": {"Mode": "PassThrough"}, "Version": "$LATEST",
    });
    assert_eq!(created, expected);
    assert!(created["LastModified"].as_str().unwrap().ends_with("+0000"), "{created}");
    let shown = api.wire_get(&format!("{FUNCTIONS}/hello")).await.shown(200);
    assert_eq!(shown.as_object().unwrap().keys().collect::<Vec<_>>(), ["Code", "Configuration"]);
    assert_eq!(shown["Configuration"]["LastUpdateStatus"], "Successful");
    let configuration = api.wire_get(&format!("{FUNCTIONS}/hello/configuration")).await.shown(200);
    assert_eq!(configuration, shown["Configuration"]);
    let location = shown["Code"]["Location"].as_str().unwrap();
    assert_eq!(reqwest::get(location).await.unwrap().bytes().await.unwrap(), code);
    let qualified = api.wire_get(&format!("{FUNCTIONS}/hello?Qualifier=%24LATEST")).await.shown(200);
    assert_eq!(qualified["Configuration"]["FunctionArn"], arn("hello:$LATEST"));
    // The rest of the API shows it, too, with no version yet.
    let native = api.get("/v1/functions/hello").await.json();
    assert_eq!((&native["version"], &native["unpublished"]), (&json!(0), &native["revision"]));
    assert_eq!(native["config"]["compatibility"], "lambda");
    assert_eq!(api.get("/v1/functions/hello/versions").await.json()["versions"], json!([]));
}

#[tokio::test]
async fn everything_that_is_asked_for_is_shown() {
    let api = Api::start().await;
    let asked = json!({
        "Description": "d", "Timeout": 900, "MemorySize": 32_768, "EphemeralStorage": {"Size": 4096},
        "Environment": {"Variables": {"KEY": "value"}}, "TracingConfig": {"Mode": "Active"},
        "DeadLetterConfig": {"TargetArn": "arn:aws:sqs:us-east-1:000000000000:q"},
        "LoggingConfig": {"LogFormat": "JSON"},
    });
    let mut create = to_create("hello");
    create.as_object_mut().unwrap().extend(asked.as_object().unwrap().clone());
    create["Architectures"] = json!(["arm64"]);
    create["Tags"] = json!({"a": "b"});
    let created = api.wire_post(FUNCTIONS, create).await.shown(201);
    for member in ["Description", "Timeout", "MemorySize", "EphemeralStorage", "Environment", "TracingConfig"]
    {
        assert_eq!(created[member], asked[member], "{member}");
    }
    assert_eq!(created["DeadLetterConfig"], asked["DeadLetterConfig"]);
    assert_eq!(
        created["LoggingConfig"],
        json!({
            "LogFormat": "JSON", "LogGroup": "/aws/lambda/hello",
            "ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO",
        })
    );
    assert_eq!(created["Architectures"], json!(["arm64"]));
    let shown = api.wire_get(&format!("{FUNCTIONS}/hello")).await.shown(200);
    assert_eq!(shown["Tags"], json!({"a": "b"}));
    let native = api.get("/v1/functions/hello").await.json();
    assert_eq!(
        [&native["config"]["timeout_ms"], &native["config"]["memory_mb"], &native["config"]["environment"]],
        [&json!(900_000), &json!(10_240), &json!({"KEY": "value"})]
    );
}

#[tokio::test]
async fn what_can_not_be_is_refused_as_recorded() {
    let api = Api::start().await;
    api.wire_create("taken").await;
    let cases: Vec<(Value, u16, String, String)> =
        serde_json::from_str(include_str!("refused_functions.json")).unwrap();
    for (change, status, code, text) in cases {
        let mut create = to_create("new");
        for (member, value) in change.as_object().unwrap() {
            match value {
                Value::Null => drop(create.as_object_mut().unwrap().remove(member)),
                value => create[member] = value.clone(),
            }
        }
        let refusal = api.wire_post(FUNCTIONS, create).await.refusal();
        assert_eq!((refusal.0, refusal.1.as_str()), (status, code.as_str()), "{change}: {}", refusal.2);
        assert!(refusal.2.contains(&text), "{change}: {}", refusal.2);
        // What holds of new functions holds of changed ones.
        let is_configuration = ["Role", "Runtime", "Environment", "Timeout"]
            .iter()
            .any(|member| change.get(member).is_some_and(|value| !value.is_null()));
        if is_configuration {
            let path = format!("{FUNCTIONS}/taken/configuration");
            assert_eq!(api.wire_put(&path, change.clone()).await.refusal(), refusal, "{change}");
        }
    }
    assert_eq!(api.wire_get(&format!("{FUNCTIONS}/new")).await.status, 404);
}

#[tokio::test]
async fn an_update_changes_what_it_names_and_the_revision_id() {
    let api = Api::start().await;
    let created = api.wire_create("hello").await;
    let path = format!("{FUNCTIONS}/hello/configuration");
    let update = json!({"Timeout": 9, "Environment": {"Variables": {}}});
    let updated = api.wire_put(&path, update.clone()).await.shown(200);
    assert_eq!((&updated["Timeout"], &updated["MemorySize"]), (&json!(9), &json!(128)));
    assert_eq!(updated["Environment"], json!({"Variables": {}}));
    assert_ne!(updated["RevisionId"], created["RevisionId"]);
    // Also where nothing is new.
    let again = api.wire_put(&path, update).await.shown(200);
    assert_ne!(again["RevisionId"], updated["RevisionId"]);
    assert_eq!(api.wire_get(&path).await.shown(200), again);
    let stale = json!({"Timeout": 5, "RevisionId": updated["RevisionId"]});
    let (status, code, text) = api.wire_put(&path, stale).await.refusal();
    assert_eq!((status, code.as_str()), (412, "PreconditionFailedException"), "{text}");
    let fresh = json!({"Timeout": 5, "RevisionId": again["RevisionId"]});
    assert_eq!(api.wire_put(&path, fresh).await.shown(200)["Timeout"], 5);
    let code = zip("def handler(event:, context:) = 2");
    let update = json!({"ZipFile": STANDARD.encode(&code)});
    let dry = json!({"ZipFile": STANDARD.encode(&code), "DryRun": true});
    let path = format!("{FUNCTIONS}/hello/code");
    let sha256 = json!(STANDARD.encode(Sha256::digest(&code)));
    assert_eq!(api.wire_put(&path, dry).await.shown(200)["CodeSha256"], sha256);
    let unchanged = api.wire_get(&format!("{FUNCTIONS}/hello/configuration")).await.shown(200);
    assert_eq!(unchanged["CodeSha256"], created["CodeSha256"]);
    let updated = api.wire_put(&path, update).await.shown(200);
    assert_eq!((&updated["CodeSha256"], &updated["Version"]), (&sha256, &json!("$LATEST")));
    assert_eq!(updated["LastUpdateStatus"], "Successful");
}

#[tokio::test]
async fn code_comes_from_the_bucket_of_the_deployment_alone() {
    use badlambda_shared::aws::store::{Condition, ZIP};
    let api = Api::start().await;
    let code = zip("def handler(event:, context:) = 1");
    api.store.put("uploads/code.zip", code, ZIP, Condition::Always).await.unwrap();
    let of = |bucket: &str, key: &str| {
        let mut create = to_create("hello");
        create["Code"] = json!({"S3Bucket": bucket, "S3Key": key});
        create
    };
    let bucket = api.store.bucket();
    let (_, _, text) = api.wire_post(FUNCTIONS, of("other-bucket", "uploads/code.zip")).await.refusal();
    assert!(text.contains("S3 Error Code: NoSuchBucket."), "{text}");
    let (_, _, text) = api.wire_post(FUNCTIONS, of(bucket, "uploads/none.zip")).await.refusal();
    let told = "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.";
    assert_eq!(text, told);
    api.wire_post(FUNCTIONS, of(bucket, "uploads/code.zip")).await.shown(201);
}

#[tokio::test]
async fn a_deleted_function_is_gone_and_can_be_made_again() {
    let api = Api::start().await;
    api.wire_create("hello").await;
    let path = format!("{FUNCTIONS}/hello");
    api.wire_post(&format!("{path}/versions"), json!({})).await.shown(201);
    let refused = |answer: crate::fixture::Answer| {
        let (status, code, text) = answer.refusal();
        (status, code, text)
    };
    let invalid = (400, "InvalidParameterValueException".to_owned());
    let (status, code, text) = refused(api.wire_delete(&format!("{path}?Qualifier=%24LATEST")).await);
    assert_eq!((status, code), invalid.clone());
    assert_eq!(text, "$LATEST version cannot be deleted without deleting the function.");
    let (status, code, text) = refused(api.wire_delete(&format!("{path}?Qualifier=live")).await);
    assert_eq!((status, code), invalid);
    assert_eq!(text, "Deletion of aliases is not currently supported.");
    // A version that is not there is deleted already.
    assert_eq!(api.wire_delete(&format!("{path}?Qualifier=7")).await.shown(204), Value::Null);
    assert_eq!(api.wire_delete(&format!("{path}?Qualifier=1")).await.shown(204), Value::Null);
    let (status, _, text) = refused(api.wire_get(&format!("{path}?Qualifier=1")).await);
    assert_eq!((status, text), (404, format!("Function not found: {}", arn("hello:1"))));
    // It is still there, and its next version has another number.
    assert_eq!(api.wire_get(&path).await.status, 200);
    let published = api.wire_post(&format!("{path}/versions"), json!({})).await.shown(201);
    assert_eq!(published["Version"], "2");
    assert_eq!(api.wire_delete(&path).await.shown(204), Value::Null);
    for path in [path.clone(), format!("{path}/versions"), format!("{path}/aliases")] {
        assert_eq!(api.wire_get(&path).await.refusal().0, 404, "{path}");
    }
    assert_eq!(api.wire_delete(&path).await.refusal().0, 404);
    api.wire_create("hello").await;
    assert_eq!(api.wire_get(&path).await.status, 200);
}

#[tokio::test]
async fn a_list_has_every_function_once() {
    let api = Api::start().await;
    for name in ["a", "b", "c"] {
        api.wire_create(name).await;
        api.wire_post(&format!("{FUNCTIONS}/{name}/versions"), json!({})).await.shown(201);
    }
    api.put("/v1/functions/native", json!({"code": "event"})).await;
    for (query, expected) in [
        ("", vec!["a", "b", "c", "native"]),
        (
            "&FunctionVersion=ALL",
            vec!["a:$LATEST", "a:1", "b:$LATEST", "b:1", "c:$LATEST", "c:1", "native:$LATEST", "native:1"],
        ),
    ] {
        for size in [1, 2, 3, 50] {
            let mut seen = vec![];
            let mut marker = String::new();
            loop {
                let path = format!("{FUNCTIONS}?MaxItems={size}{query}{marker}");
                let page = api.wire_get(&path).await.shown(200);
                let functions = page["Functions"].as_array().unwrap();
                assert!(functions.len() <= size);
                seen.extend(functions.iter().map(|function| {
                    assert!(function.get("State").is_none() && function.get("LastUpdateStatus").is_none());
                    function["FunctionArn"].as_str().unwrap().to_owned()
                }));
                match page.get("NextMarker") {
                    Some(next) => marker = format!("&Marker={}", next.as_str().unwrap()),
                    None => break,
                }
            }
            let expected: Vec<String> = expected.iter().map(|name| arn(name)).collect();
            assert_eq!(seen, expected, "{size}{query}");
        }
    }
    let (status, code, text) = api.wire_get(&format!("{FUNCTIONS}?FunctionVersion=SOME")).await.refusal();
    assert_eq!((status, code.as_str()), (400, "ValidationException"));
    assert!(text.ends_with("Member must satisfy enum value set: [ALL]"), "{text}");
    assert_eq!(api.wire_get(&format!("{FUNCTIONS}?Marker=nonsense")).await.refusal().0, 400);
}

#[tokio::test]
async fn functions_of_the_rest_of_the_api_are_shown_with_lambdas_defaults() {
    let api = Api::start().await;
    api.put("/v1/functions/native", json!({"code": "event", "config": {"timeout_ms": 1500}})).await;
    let shown = api.wire_get(&format!("{FUNCTIONS}/native")).await.shown(200);
    let configuration = &shown["Configuration"];
    assert_eq!(configuration["Timeout"], 2);
    assert_eq!((&configuration["MemorySize"], &configuration["Runtime"]), (&json!(256), &json!("ruby3.4")));
    assert_eq!(configuration["Role"], "arn:aws:iam::000000000000:role/badlambda");
    // A publish of the rest of the API takes the place of what this one has changed.
    let path = format!("{FUNCTIONS}/native/configuration");
    api.wire_put(&path, json!({"Timeout": 7, "Description": "d"})).await.shown(200);
    let native = api.get("/v1/functions/native").await.json();
    assert_eq!((&native["version"], &native["config"]["timeout_ms"]), (&json!(1), &json!(1500)));
    assert!(native["unpublished"].is_string(), "{native}");
    assert_eq!(api.get("/v1/functions/native/versions/$LATEST").await.json()["config"]["timeout_ms"], 7000);
    let put = api.put("/v1/functions/native", json!({"code": "event", "config": {"timeout_ms": 1500}})).await;
    assert_eq!((&put.json()["version"], put.json().get("unpublished")), (&json!(1), None));
    let configuration = api.wire_get(&path).await.shown(200);
    assert_eq!((&configuration["Timeout"], &configuration["Description"]), (&json!(2), &json!("d")));
}

#[tokio::test]
async fn a_function_of_before_this_api_reads_as_before() {
    let api = Api::start().await;
    api.create_hello().await;
    let key = api.store.keys().manifest(&"hello".parse().unwrap());
    let stored = api.store.get(&key, 1_000_000).await.unwrap().unwrap();
    let json: Value = serde_json::from_slice(&stored.bytes).unwrap();
    let members = json.as_object().unwrap();
    assert!(!members.contains_key("unpublished") && !members.contains_key("lambda"), "{json}");
    assert!(!members["latest"].as_object().unwrap().contains_key("lambda"), "{json}");
    let manifest: Manifest = serde_json::from_value(json).unwrap();
    assert_eq!((manifest.unpublished, manifest.lambda), (None, None));
}
