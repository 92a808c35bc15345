//! Messages as requests to a web server.

use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url, redirect, retry};

use crate::error::Error;
use crate::relay::carrier::{Carried, Carrier, Fate, Fault};
use crate::relay::context::Context;
use crate::relay::custom_payload::CustomPayload;
use crate::relay::loopback::is_loopback;
use crate::relay::options::{Content, HttpsOptions};
use crate::relay::outbox::{Delivery, EVENT_TYPES, Kind};
use crate::relay::secret::Secret;
use crate::relay::template::variable::{Subject, Vocabulary};
use crate::relay::template::{BadTemplate, Language, Template};
use crate::relay::tls::{Stamps, TlsFiles};

/// So many messages may share a request.
const MAX_IN_BATCH: usize = 100;

/// Messages as requests to a web server.
pub struct Https {
    forms: Forms,
    context: Context,
    credentials: Credentials,
    batch: usize,
    give_up_after: u32,
    files: TlsFiles,
    client: Option<(Client, Stamps)>,
}

/// What a request looks like.
struct Forms {
    method: Method,
    content_type: &'static str,
    url: Template,
    headers: Vec<(HeaderName, Template)>,
    body: Template,
    event: Option<EventForms>,
}

/// What an event's request looks like.
struct EventForms {
    url: Template,
    body: Template,
}

enum Credentials {
    None,
    Bearer(Secret),
    Basic(String, Secret),
}

/// What a server has answered.
enum Answer {
    Taken,
    Refused(String),
}

impl Https {
    /// Checks what an operator has said.
    ///
    /// # Errors
    /// What is wrong with it, by its key.
    pub fn new(options: &HttpsOptions, context: Context) -> Result<Self, Error> {
        let forms = Forms::new(options)?;
        if !(1..=MAX_IN_BATCH).contains(&options.batch) {
            return Err(bad("batch", format!("{} is not 1 to {MAX_IN_BATCH}", options.batch)));
        }
        if options.batch > 1 && !forms.is_constant() {
            let problem = "messages that share a request share its url and headers too: only {station} may stand there";
            return Err(bad("batch", problem.into()));
        }
        if options.give_up_after == 0 {
            return Err(bad("give_up_after", "a message needs one try at least".into()));
        }
        let files = options.tls_files(&context.folder);
        let credentials = Credentials::new(options, &context)?;
        credentials.check()?;
        files.load(&context.certificate_time)?;
        let (batch, give_up_after) = (options.batch, options.give_up_after);
        Ok(Self { forms, context, credentials, batch, give_up_after, files, client: None })
    }

    /// The client, with certificates as they are now: a renewed one counts at once.
    fn client(&mut self) -> Result<Client, Error> {
        let stamps = self.files.stamps();
        if let Some((client, at)) = &self.client
            && *at == stamps
        {
            return Ok(client.clone());
        }
        let tls = self.files.load(&self.context.certificate_time)?;
        let client = Client::builder()
            .tls_backend_preconfigured((*tls).clone())
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            .no_proxy()
            .timeout(self.context.answer_timeout)
            .user_agent(concat!("nap/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Error::Tls { problem: error.to_string() })?;
        self.client = Some((client.clone(), stamps));
        Ok(client)
    }

    async fn send(&mut self, deliveries: &[Delivery]) -> Result<Answer, Fault> {
        let client = self.client().map_err(Fault::of_disk)?;
        let request = match self.forms.request(deliveries, &self.context.station) {
            Ok(request) => request,
            Err(problem) => return Ok(Answer::Refused(problem)),
        };
        let method = self.forms.method.clone();
        let to_send =
            client.request(method, request.url).headers(request.headers).body(request.body);
        let to_send = self.credentials.sign(to_send).map_err(Fault::of_disk)?;
        match to_send.send().await {
            Ok(response) => judge(response),
            Err(error) => Err(self.context.explained(Fault::new(chain(&error)))),
        }
    }

    /// Asks the server for its root, without a message and without credentials: any answer will do.
    ///
    /// # Errors
    /// What is wrong on the way.
    pub async fn reach(&mut self) -> Result<(), Fault> {
        let client = self.client().map_err(Fault::of_disk)?;
        let url = Url::parse(&self.forms.url.sample());
        let mut url = url.map_err(|error| Fault::new(format!("url: {error}")))?;
        url.set_path("/");
        url.set_query(None);
        url.set_fragment(None);
        let answer = client.head(url).send().await;
        answer.map(drop).map_err(|error| self.context.explained(Fault::new(chain(&error))))
    }

    /// A batch that is refused is tried again one by one, since one of its messages may be to blame.
    async fn carry_group(
        &mut self,
        group: &[Delivery],
        fates: &mut Vec<Fate>,
    ) -> Result<(), Fault> {
        match self.send(group).await? {
            Answer::Taken => fates.extend(group.iter().map(|_| Fate::Delivered)),
            Answer::Refused(reason) if group.len() == 1 => fates.push(Fate::Refused(reason)),
            Answer::Refused(_) => {
                for one in group.chunks(1) {
                    fates.push(match self.send(one).await? {
                        Answer::Taken => Fate::Delivered,
                        Answer::Refused(reason) => Fate::Refused(reason),
                    });
                }
            }
        }
        Ok(())
    }
}

impl Carrier for Https {
    fn unit(&self) -> usize {
        self.batch
    }

    fn give_up_after(&self) -> u32 {
        self.give_up_after
    }

    fn tls_files(&self) -> Option<&TlsFiles> {
        Some(&self.files)
    }

    async fn open(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    async fn carry(&mut self, deliveries: &[Delivery]) -> Carried {
        let mut fates = Vec::new();
        let share =
            |one: &Delivery, next: &Delivery| one.kind != Kind::Event && next.kind != Kind::Event;
        for group in deliveries.chunk_by(share) {
            if let Err(fault) = self.carry_group(group, &mut fates).await {
                return Carried { fates, fault: Some(fault) };
            }
        }
        Carried { fates, fault: None }
    }
}

/// A request, filled in.
struct Request {
    url: Url,
    headers: HeaderMap,
    body: String,
}

impl Forms {
    fn new(options: &HttpsOptions) -> Result<Self, Error> {
        let custom: CustomPayload = options
            .custom_payload
            .parse()
            .map_err(|error| bad("custom_payload", format!("{error}")))?;
        let messages = Vocabulary::Message(&custom);
        let url = Template::parse(&options.url, Language::Url, messages).map_err(at("url"))?;
        check_url(&url.sample())?;
        let language = match options.content {
            Content::Json => Language::Json,
            Content::Form => Language::Form,
            Content::Text => Language::Text,
        };
        let method = Method::from_str(&options.method);
        let method =
            method.map_err(|_| bad("method", format!("{:?} is no method", options.method)))?;
        check_events(&options.events)?;
        let event = (!options.events.is_empty()).then(|| EventForms::new(options, language));
        Ok(Self {
            method,
            content_type: match options.content {
                Content::Json => "application/json",
                Content::Form => "application/x-www-form-urlencoded",
                Content::Text => "text/plain; charset=utf-8",
            },
            headers: headers(options, messages)?,
            body: Template::parse(&options.body, language, messages).map_err(at("body"))?,
            event: event.transpose()?,
            url,
        })
    }

    fn is_constant(&self) -> bool {
        self.url.is_constant() && self.headers.iter().all(|(_, value)| value.is_constant())
    }

    /// The request of messages, or of one event.
    fn request(&self, deliveries: &[Delivery], station: &str) -> Result<Request, String> {
        fn subject<'a>(delivery: &'a Delivery, station: &'a str) -> Subject<'a> {
            Subject { record: &delivery.record, station }
        }
        let Some(first) = deliveries.first() else { return Err("nothing to send".into()) };
        let (url, body) = match &self.event {
            Some(event) if first.kind == Kind::Event => {
                let subject = subject(first, station);
                (event.url.render(subject), event.body.render(subject))
            }
            _ => {
                let bodies: Vec<String> =
                    deliveries.iter().map(|one| self.body.render(subject(one, station))).collect();
                (self.url.render(subject(first, station)), bodies.join(";"))
            }
        };
        let mut headers =
            HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(self.content_type))]);
        for (name, value) in &self.headers {
            let value = HeaderValue::from_str(&value.render(subject(first, station)));
            headers.insert(name, value.map_err(|error| format!("header {name}: {error}"))?);
        }
        Ok(Request {
            url: Url::parse(&url).map_err(|error| format!("url: {error}"))?,
            headers,
            body,
        })
    }
}

impl EventForms {
    /// An event has no device and no payload: its address may have the station in it and nothing else.
    fn new(options: &HttpsOptions, language: Language) -> Result<Self, Error> {
        let body = Template::parse(&options.event_body, language, Vocabulary::Event);
        let url = Template::parse(&options.url, Language::Url, Vocabulary::Event);
        let constant = url.ok().filter(Template::is_constant);
        let problem =
            "events are to be sent too, and they have {station} alone to put into an address";
        let url = constant.ok_or_else(|| bad("url", problem.into()))?;
        Ok(Self { url, body: body.map_err(at("event_body"))? })
    }
}

fn headers(
    options: &HttpsOptions,
    messages: Vocabulary<'_>,
) -> Result<Vec<(HeaderName, Template)>, Error> {
    let header = |(name, value): (&String, &String)| {
        let template = Template::parse(value, Language::Header, messages).map_err(at("headers"))?;
        let name = HeaderName::from_str(name)
            .map_err(|_| bad("headers", format!("{name:?} is no name of a header")))?;
        HeaderValue::from_str(&template.sample())
            .map_err(|_| bad("headers", format!("{name} has a value with control characters")))?;
        Ok((name, template))
    };
    options.headers.0.iter().map(header).collect()
}

fn check_events(events: &[String]) -> Result<(), Error> {
    let unknown = events.iter().find(|event| !EVENT_TYPES.contains(&event.as_str()));
    unknown.map_or(Ok(()), |unknown| {
        let problem =
            format!("there is no event {unknown:?}; there are {}", EVENT_TYPES.join(", "));
        Err(bad("events", problem))
    })
}

fn check_url(url: &str) -> Result<(), Error> {
    let bad = |problem: &str| bad("url", problem.into());
    let parsed = Url::parse(url).map_err(|error| bad(&format!("is no address: {error}")))?;
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err(bad("has a user in it; say user = \"...\" and password_file = \"...\""));
    }
    let host = parsed.host_str().unwrap_or_default();
    match parsed.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(host) => Ok(()),
        "http" => Err(bad("is without TLS; http:// goes to 127.0.0.1 or [::1] only")),
        _ => Err(bad("is neither https:// nor http://")),
    }
}

impl Credentials {
    fn new(options: &HttpsOptions, context: &Context) -> Result<Self, Error> {
        let secret = |file| Secret::new(&context.folder, file);
        match (&options.bearer_file, &options.user, &options.password_file) {
            (None, None, None) => Ok(Self::None),
            (Some(file), None, None) => Ok(Self::Bearer(secret(file))),
            (None, Some(user), Some(file)) => Ok(Self::Basic(user.clone(), secret(file))),
            _ => Err(bad("bearer_file", "either bearer_file, or user and password_file".into())),
        }
    }

    /// Puts them into a request.
    fn sign(&self, request: RequestBuilder) -> Result<RequestBuilder, Error> {
        Ok(match self {
            Self::None => request,
            Self::Bearer(token) => request.bearer_auth(token.read()?),
            Self::Basic(user, password) => request.basic_auth(user, Some(password.read()?)),
        })
    }

    fn check(&self) -> Result<(), Error> {
        match self {
            Self::None => Ok(()),
            Self::Bearer(secret) | Self::Basic(_, secret) => secret.read().map(drop),
        }
    }
}

/// What the server's answer means.
fn judge(response: Response) -> Result<Answer, Fault> {
    let status = response.status();
    let text = format!("the server answers {status}");
    match status.as_u16() {
        200..=299 => Ok(Answer::Taken),
        408 | 425 | 429 | 500..=599 => {
            let retry_after = response.headers().get(RETRY_AFTER);
            let retry_after =
                retry_after.and_then(|value| delay(value.to_str().ok()?, Timestamp::now()));
            Err(Fault { retry_after, ..Fault::new(text) })
        }
        300..=399 if status != StatusCode::NOT_MODIFIED => Ok(Answer::Refused(format!(
            "{text}; redirects are not followed, so say the new address as url"
        ))),
        _ => Ok(Answer::Refused(text)),
    }
}

/// What `Retry-After` says: seconds, or a date.
fn delay(text: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()?;
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

/// An error with all its causes and where it was, without the rest of the address, which may have secrets in its query.
fn chain(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "the server does not answer in time".into();
    }
    let mut causes = Vec::new();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        causes.push(next.to_string());
        cause = next.source();
    }
    let what = if causes.is_empty() { "the request failed".into() } else { causes.join(": ") };
    let host = error.url().and_then(|url| Some((url.host_str()?, url.port_or_known_default()?)));
    host.map_or_else(|| what.clone(), |(host, port)| format!("{host}:{port}: {what}"))
}

fn at(key: &'static str) -> impl Fn(BadTemplate) -> Error {
    move |error| bad(key, error.to_string())
}

fn bad(key: &'static str, problem: String) -> Error {
    Error::Relay { key, problem }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::Value;
    use tokio::sync::watch;

    use super::*;

    fn checked(more: &str) -> Result<Https, Error> {
        let options: HttpsOptions = toml::from_str(more).unwrap();
        let context =
            Context::new("0011223344556677", Path::new("."), watch::channel(Value::Null).1);
        Https::new(&options, context)
    }

    fn problem(more: &str) -> String {
        checked(more).err().map_or_else(|| panic!("{more} is taken"), |error| error.to_string())
    }

    #[test]
    fn plain_http_goes_to_this_machine_only() {
        for url in
            ["http://127.0.0.1:8080/x", "http://[::1]/x", "https://example.org/{device}?t={time}"]
        {
            assert!(checked(&format!("url = \"{url}\"")).is_ok(), "{url}");
        }
        for url in [
            "http://localhost/",
            "http://example.org/",
            "ftp://example.org/",
            "https://u:p@example.org/",
            "x",
        ] {
            assert!(problem(&format!("url = \"{url}\"")).starts_with("`url`: "), "{url}");
        }
    }

    #[test]
    fn what_cannot_work_is_told_by_its_key() {
        let url = "url = \"https://example.org/\"";
        let cases = [
            ("batch = 0", "`batch`"),
            ("batch = 101", "`batch`"),
            ("batch = 2\nheaders = { X = \"{device}\" }", "`batch`"),
            ("give_up_after = 0", "`give_up_after`"),
            ("body = '{\"a\":{data}}'", "`body`"),
            ("body = '{devise}'", "`body`"),
            ("events = [\"refused\"]\nevent_body = '{device}'", "`event_body`"),
            ("custom_payload = 'x'", "`custom_payload`"),
            ("method = 'A B'", "`method`"),
            ("headers = { \"a b\" = \"x\" }", "`headers`"),
            ("headers = { a = \"x\\ny\" }", "`headers`"),
            ("user = 'u'", "`bearer_file`"),
            ("bearer_file = 'not there'", "not there"),
            ("certificate = 'not there'", "TLS"),
        ];
        for (more, expected) in cases {
            let problem = problem(&format!("{url}\n{more}"));
            assert!(problem.contains(expected), "{more}: {problem}");
        }
        let problem = problem("url = \"https://example.org/{device}\"\nevents = [\"refused\"]");
        assert!(problem.contains("{station} alone"), "{problem}");
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = "2026-11-23T06:16:00Z".parse().unwrap();
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(delay("120", now), seconds(120));
        assert_eq!(delay("Mon, 23 Nov 2026 06:17:00 GMT", now), seconds(60));
        assert_eq!(delay("Mon, 23 Nov 2026 06:15:00 GMT", now), seconds(0));
        assert_eq!(delay("soon", now), None);
    }
}
