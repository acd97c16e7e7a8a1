//! Why a request did not succeed, and what the store says of it.

/// The most bytes of an error body that are read.
const MAX_ERROR_BYTES: usize = 64 * 1024;

/// Why a request did not succeed. No variant holds the URL.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransferError {
    /// The store refused.
    #[error("the store refused with {status} {}: {}", code.as_deref().unwrap_or("(no code)"), message.as_deref().unwrap_or("(no message)"))]
    Refused {
        /// HTTP status.
        status: u16,
        /// `Code` of the error body.
        code: Option<String>,
        /// `Message` of the error body.
        message: Option<String>,
    },
    /// No answer.
    #[error("no answer from the store: {reason}")]
    NoAnswer {
        /// What went wrong, without the URL.
        reason: String,
    },
    /// The request cannot be sent as it was signed.
    #[error("the request cannot be sent: {reason}")]
    Unsendable {
        /// What is wrong.
        reason: String,
    },
}

impl TransferError {
    pub(super) fn no_answer(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let mut reason = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            reason.push_str(": ");
            reason.push_str(&cause.to_string());
            source = cause.source();
        }
        Self::NoAnswer { reason }
    }
}

/// Reads the refusal: `Code` and `Message` of the error body that both clouds send.
pub(super) async fn refused(response: reqwest::Response) -> TransferError {
    let status = response.status().as_u16();
    let [code, message] = read_children(&read_small(response).await, "Error", ["Code", "Message"]);
    TransferError::Refused { status, code, message }
}

/// `Location` of the body that answers a form with 201.
pub(super) async fn location_of_created(response: reqwest::Response) -> Option<String> {
    let [location] = read_children(&read_small(response).await, "PostResponse", ["Location"]);
    location
}

async fn read_small(mut response: reqwest::Response) -> String {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ERROR_BYTES {
            break;
        }
    }
    String::from_utf8_lossy(&body).into_owned()
}

/// The texts of the children of these names of a root of this name.
fn read_children<const N: usize>(xml: &str, root: &str, names: [&str; N]) -> [Option<String>; N] {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(xml);
    let mut found = [const { None }; N];
    let mut path: Vec<String> = Vec::new();
    loop {
        let text = match reader.read_event() {
            Ok(Event::Start(start)) => {
                path.push(start.name().as_ref().to_owned());
                continue;
            }
            Ok(Event::End(_)) => {
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
                _ => "\u{fffd}",
            }
            .to_owned(),
            Ok(Event::Eof) | Err(_) => return found,
            Ok(_) => continue,
        };
        let [parent, name] = path.as_slice() else { continue };
        let slot = names.iter().position(|wanted| wanted == name).filter(|_| parent == root);
        if let Some(slot) = slot.and_then(|slot| found.get_mut(slot)) {
            slot.get_or_insert_with(String::new).push_str(&text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_new_object_is_read() {
        let xml = "<PostResponse><Bucket>b</Bucket><Location>http://b.example/a%20b?x=1&amp;y</Location><Key><Location>no</Location></Key></PostResponse>";
        assert_eq!(read_children(xml, "PostResponse", ["Location"]), [Some("http://b.example/a%20b?x=1&y".to_owned())]);
    }

    #[test]
    fn error_bodies_of_both_clouds_are_read() {
        for (xml, code, message) in [
            (
                "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>",
                Some("AccessDenied"),
                Some("Request has expired"),
            ),
            ("<Error>\n <Code>InvalidArgument</Code>\n <Message>a &lt; b &amp; c</Message><EC>0002-1</EC></Error>", Some("InvalidArgument"), Some("a < b & c")),
            ("<html><body>Bad Gateway</body></html>", None, None),
            ("not xml <<<", None, None),
            ("", None, None),
        ] {
            assert_eq!(read_children(xml, "Error", ["Code", "Message"]), [code.map(String::from), message.map(String::from)], "{xml}");
        }
    }
}
