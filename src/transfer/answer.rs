//! Reading the answers of a store: error bodies, and the elements of the others.

use std::time::{Duration, SystemTime};

use quick_xml::events::Event;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use super::error::TransferError;

/// The most bytes of a small answer that are read.
const MAX_BYTES: usize = 64 * 1024;

/// Why a store refused.
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
    /// The number of OSS that says more than its code.
    ec: Option<String>,
    retry_after: Option<Duration>,
}

/// What to do after a refusal.
pub(super) enum Advice {
    GiveUp,
    TryLater(Option<Duration>),
    SignAgain,
}

impl Refusal {
    pub(super) async fn read(response: reqwest::Response) -> Self {
        let status = response.status().as_u16();
        let retry_after = retry_after(response.headers(), SystemTime::now());
        // What came of a body that broke off may say why all the same.
        let mut body = Vec::new();
        let _ = gather(response, &mut body).await;
        Self { retry_after, ..Self::parse(status, &String::from_utf8_lossy(&body)) }
    }

    /// What the error body says.
    pub(super) fn parse(status: u16, xml: &str) -> Self {
        let [code, message, ec] = children(xml, "Error", ["Code", "Message", "EC"]);
        Self { status, code, message, ec, retry_after: None }
    }

    /// What S3 says of `code` with an HTTP status of its own, also where the status was sent before the error came up.
    pub(super) fn advice(&self) -> Advice {
        let code = self.code.as_deref().unwrap_or_default();
        if self.has_expired(code) {
            return Advice::SignAgain;
        }
        let is_passing = match self.status {
            408 | 429 => true,
            501 | 505 => false,
            status if status >= 500 => true,
            _ => matches!(code, "RequestTimeout" | "SlowDown" | "InternalError" | "ServiceUnavailable"),
        };
        if is_passing { Advice::TryLater(self.retry_after) } else { Advice::GiveUp }
    }

    /// S3 has no code of its own for URLs that ended; OSS has numbers.
    fn has_expired(&self, code: &str) -> bool {
        let message = self.message.as_deref().unwrap_or_default();
        match self.status {
            400 | 403 => {
                matches!(code, "ExpiredToken" | "SecurityTokenExpired" | "RequestTimeTooSkewed")
                    || matches!(self.ec.as_deref(), Some("0002-00000236" | "0002-00000007"))
                    || code == "AccessDenied" && message.starts_with("Request has expired")
            }
            _ => false,
        }
    }
}

impl From<Refusal> for TransferError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused { status: refusal.status, code: refusal.code, message: refusal.message }
    }
}

/// How long the store wants to be left alone.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    httpdate::parse_http_date(text).ok().map(|moment| moment.duration_since(now).unwrap_or_default())
}

/// The body of a small answer, of which only its beginning is of use where it is larger.
pub(super) async fn read_small(response: reqwest::Response) -> Result<String, reqwest::Error> {
    let mut body = Vec::new();
    gather(response, &mut body).await?;
    Ok(String::from_utf8_lossy(&body).into_owned())
}

async fn gather(mut response: reqwest::Response, body: &mut Vec<u8>) -> Result<(), reqwest::Error> {
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_BYTES {
            break;
        }
    }
    Ok(())
}

/// The texts of the children of these names of a root of this name, the first of each.
pub(super) fn children<const N: usize>(xml: &str, root: &str, names: [&str; N]) -> [Option<String>; N] {
    let mut found = [const { None }; N];
    walk(xml, |path, text| {
        let ([parent, name], Some(text)) = (path, text) else { return };
        let slot = names.iter().position(|wanted| wanted == name).filter(|_| parent == root);
        if let Some(slot) = slot.and_then(|slot| found.get_mut(slot)) {
            slot.get_or_insert_with(String::new).push_str(text);
        }
    });
    found
}

/// The children of these names of every element of this name below the root; also of elements that are not whole.
pub(super) fn elements<const N: usize>(xml: &str, element: &str, names: [&str; N]) -> Vec<[Option<String>; N]> {
    let mut found: Vec<[Option<String>; N]> = Vec::new();
    let mut open = false;
    walk(xml, |path, text| match (path, text) {
        ([_, name], None) if name == element => open = false,
        ([_, parent, name], Some(text)) if parent == element => {
            if !open {
                found.push([const { None }; N]);
                open = true;
            }
            let slot = names.iter().position(|wanted| wanted == name);
            if let Some(slot) = slot.and_then(|slot| found.last_mut()?.get_mut(slot)) {
                slot.get_or_insert_with(String::new).push_str(text);
            }
        }
        _ => {}
    });
    found
}

/// Tells every piece of text with the elements that it is in, and every end of an element without a text, until the document ends or breaks.
fn walk(xml: &str, mut tell: impl FnMut(&[String], Option<&str>)) {
    // S3 sends white space before the document while a client waits.
    let mut reader = quick_xml::Reader::from_str(xml.trim_start());
    let mut path: Vec<String> = Vec::new();
    loop {
        let text = match reader.read_event() {
            Ok(Event::Start(start)) => {
                path.push(start.name().as_ref().to_owned());
                continue;
            }
            Ok(Event::End(_)) => {
                tell(&path, None);
                path.pop();
                continue;
            }
            Ok(Event::Text(text)) => text.to_string(),
            Ok(Event::GeneralRef(reference)) => match &*reference {
                "lt" => "<",
                "gt" => ">",
                "amp" => "&",
                "apos" => "'",
                "quot" => "\"",
                "#34" => "\"",
                _ => "\u{fffd}",
            }
            .to_owned(),
            Ok(Event::Eof) | Err(_) => return,
            Ok(_) => continue,
        };
        tell(&path, Some(&text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_new_object_is_read() {
        let xml = "<PostResponse><Bucket>b</Bucket><Location>http://b.example/a%20b?x=1&amp;y</Location><Key><Location>no</Location></Key></PostResponse>";
        assert_eq!(children(xml, "PostResponse", ["Location"]), [Some("http://b.example/a%20b?x=1&y".to_owned())]);
    }

    #[test]
    fn error_bodies_of_both_clouds_are_read() {
        for (xml, code, message) in [
            (
                "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>",
                Some("AccessDenied"),
                Some("Request has expired"),
            ),
            ("\n  <?xml version=\"1.0\"?><Error><Code>InternalError</Code></Error>", Some("InternalError"), None),
            ("<Error>\n <Code>InvalidArgument</Code>\n <Message>a &lt; b &amp; c</Message><EC>0002-1</EC></Error>", Some("InvalidArgument"), Some("a < b & c")),
            ("<html><body>Bad Gateway</body></html>", None, None),
            ("not xml <<<", None, None),
            ("", None, None),
        ] {
            assert_eq!(children(xml, "Error", ["Code", "Message"]), [code.map(String::from), message.map(String::from)], "{xml}");
        }
    }

    #[test]
    fn every_element_of_a_list_is_read() {
        let xml = "<L>\n <Part>\n <N>1</N>\n <E>&quot;a&quot;</E></Part><Other><N>9</N></Other><Part><N>2</N></Part><Part></Part><Part><E>c</E></Part></L>";
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(elements(xml, "Part", ["N", "E"]), [[text("1"), text("\"a\"")], [text("2"), None], [None, text("c")]]);
    }

    #[test]
    fn refusals_are_told_apart() {
        let error = |code: &str, message: &str, ec: &str| format!("<Error><Code>{code}</Code><Message>{message}</Message><EC>{ec}</EC></Error>");
        for (status, xml, want) in [
            (403, error("AccessDenied", "Request has expired", ""), "sign"),
            (403, error("AccessDenied", "Request has expired.", "0002-00000236"), "sign"),
            (403, error("AccessDenied", "other words", "0002-00000236"), "sign"),
            (400, error("ExpiredToken", "The provided token has expired.", ""), "sign"),
            (403, String::new(), "no"),
            (403, error("AccessDenied", "Access Denied", ""), "no"),
            (403, error("SignatureDoesNotMatch", "Request has expired", ""), "no"),
            (500, String::new(), "later"),
            (503, error("SlowDown", "", ""), "later"),
            (429, String::new(), "later"),
            (400, error("RequestTimeout", "", ""), "later"),
            (200, error("InternalError", "", ""), "later"),
            (501, error("NotImplemented", "", ""), "no"),
            (404, error("NoSuchUpload", "", ""), "no"),
            (412, error("PreconditionFailed", "", ""), "no"),
            (301, String::new(), "no"),
        ] {
            let advice = match Refusal::parse(status, &xml).advice() {
                Advice::GiveUp => "no",
                Advice::TryLater(_) => "later",
                Advice::SignAgain => "sign",
            };
            assert_eq!(advice, want, "{status} {xml}");
        }
    }

    #[test]
    fn a_store_may_ask_for_time_in_two_ways() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        for (text, want) in
            [("7", Some(7)), ("Sun, 06 Nov 1994 08:49:47 GMT", Some(10)), ("Sun, 06 Nov 1994 08:49:27 GMT", Some(0)), ("soon", None), ("-1", None)]
        {
            let headers = [(RETRY_AFTER, text.parse().unwrap())].into_iter().collect();
            assert_eq!(retry_after(&headers, now), want.map(Duration::from_secs), "{text}");
        }
    }
}
