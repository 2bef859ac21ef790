//! Stacks, over CloudFormation's own protocol: of its SDK, which takes minutes to build, three calls would be used.

use std::time::{Duration, Instant, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use badlambda_tests::addresses::clients;
use serde_json::{Map, Value, json};
use tokio::sync::OnceCell;

use crate::fleet::PATIENCE;
use crate::template;

/// Images are named by a stack, and not pulled.
pub const IMAGES: [(&str, &str); 2] =
    [("ApiImage", "registry/badlambda/api:test"), ("WorkerImage", "registry/badlambda/worker:test")];

const KEY: &str = "test";
const REGION: &str = "us-east-1";

/// Where an emulator is, and with which credentials.
pub fn emulator(url: &str) -> Value {
    json!({"aws": url, "region": REGION, "access_key_id": KEY, "secret_access_key": KEY})
}

/// A stack's name that is no other's.
pub fn new_name() -> String {
    format!("t{:x}", rand::random::<u64>())
}

/// Makes a stack of what of the template is there, and returns its outputs.
pub async fn create(url: &str, name: &str) -> Value {
    // CloudFormation takes one of this size only from a bucket.
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    let template = TEMPLATE.get_or_init(|| upload(url, template::reduced())).await;
    let ended = create_from(url, name, template).await.unwrap();
    assert_eq!(ended["status"], "CREATE_COMPLETE", "{ended}");
    ended["outputs"].clone()
}

/// Puts a template into a bucket, and returns its URL.
pub async fn upload(url: &str, template: Value) -> String {
    let bucket = format!("templates-{:x}", rand::random::<u64>());
    let s3 = aws_sdk_s3::Client::new(clients(&emulator(url)).sdk());
    let s3 = aws_sdk_s3::Client::from_conf(s3.config().to_builder().force_path_style(true).build());
    s3.create_bucket().bucket(&bucket).send().await.unwrap();
    let body = template.to_string().into_bytes();
    s3.put_object().bucket(&bucket).key("template").body(body.into()).send().await.unwrap();
    format!("{url}/{bucket}/template")
}

/// Makes a stack, and returns its `status`, its `outputs` and the `reasons` for what became of it, once nothing is under
/// way; or what CloudFormation has against the template.
pub async fn create_from(url: &str, name: &str, template_url: &str) -> Result<Value, String> {
    let mut form = vec![
        ("Action", "CreateStack"),
        ("StackName", name),
        ("TemplateURL", template_url),
        ("Capabilities.member.1", "CAPABILITY_IAM"),
    ];
    for (number, (parameter, value)) in IMAGES.into_iter().enumerate() {
        let names = [
            ("Parameters.member.1.ParameterKey", "Parameters.member.1.ParameterValue"),
            ("Parameters.member.2.ParameterKey", "Parameters.member.2.ParameterValue"),
        ];
        form.extend([(names[number].0, parameter), (names[number].1, value)]);
    }
    ask(url, &form).await?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let described = ask(url, &[("Action", "DescribeStacks"), ("StackName", name)]).await?;
        let status = texts(&described, "StackStatus")[0];
        if !status.ends_with("_IN_PROGRESS") {
            let keys = texts(&described, "OutputKey").into_iter().map(str::to_owned);
            let values = texts(&described, "OutputValue").into_iter().map(Value::from);
            let outputs: Map<String, Value> = keys.zip(values).collect();
            return Ok(json!({"status": status, "outputs": outputs, "reasons": reasons(url, name).await?}));
        }
        assert!(Instant::now() < deadline, "{name} is {status}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// What CloudFormation says of all that happened to a stack, as far as it says anything.
async fn reasons(url: &str, name: &str) -> Result<Vec<String>, String> {
    let (mut reasons, mut next) = (vec![], None);
    let deadline = Instant::now() + PATIENCE;
    loop {
        assert!(Instant::now() < deadline, "the pages have no end");
        let mut form = vec![("Action", "DescribeStackEvents"), ("StackName", name)];
        form.extend(next.as_deref().map(|token| ("NextToken", token)));
        let page = ask(url, &form).await?;
        let said = texts(&page, "ResourceStatusReason").into_iter().filter(|reason| !reason.is_empty());
        reasons.extend(said.map(str::to_owned));
        next = texts(&page, "NextToken").first().map(|token| (*token).to_owned());
        if next.is_none() {
            return Ok(reasons);
        }
    }
}

/// Makes a call, and returns the answer, or what is wrong with it.
async fn ask(url: &str, form: &[(&str, &str)]) -> Result<String, String> {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = http.post(url).form(&[form, &[("Version", "2010-05-15")]].concat()).build().unwrap();
    let identity = Credentials::new(KEY, KEY, None, None, "test").into();
    let params = SigningParams::builder()
        .identity(&identity)
        .region(REGION)
        .name("cloudformation")
        .time(SystemTime::now())
        .settings(SigningSettings::default());
    let params = params.build().unwrap().into();
    let body = request.body().and_then(|body| body.as_bytes()).unwrap();
    let host = request.url().authority();
    let signable =
        SignableRequest::new("POST", url, [("host", host)].into_iter(), SignableBody::Bytes(body)).unwrap();
    let (headers, _) = sign(signable, &params).unwrap().into_parts().0.into_parts();
    let mut request = reqwest::RequestBuilder::from_parts(http, request);
    for header in headers {
        request = request.header(header.name(), header.value());
    }
    let answer = request.send().await.unwrap();
    let succeeded = answer.status().is_success();
    let text = answer.text().await.unwrap();
    if succeeded { Ok(text) } else { Err(text) }
}

/// The texts of all elements of a name, in XML that AWS writes.
fn texts<'a>(xml: &'a str, name: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    xml.split(&open).skip(1).map(|rest| rest.split(&close).next().unwrap()).collect()
}
