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

/// Reads the refusal.
pub(super) async fn refused(mut response: reqwest::Response) -> TransferError {
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ERROR_BYTES {
            break;
        }
    }
    let (code, message) = read_error(&String::from_utf8_lossy(&body));
    TransferError::Refused { status, code, message }
}

/// `Code` and `Message` of the error body that both clouds send.
fn read_error(xml: &str) -> (Option<String>, Option<String>) {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(xml);
    let (mut code, mut message) = (None, None);
    let mut path: Vec<String> = Vec::new();
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => path.push(start.name().as_ref().to_owned()),
            Ok(Event::End(_)) => drop(path.pop()),
            Ok(Event::Text(text)) => {
                let slot = match path.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
                    ["Error", "Code"] => &mut code,
                    ["Error", "Message"] => &mut message,
                    _ => continue,
                };
                slot.get_or_insert_with(String::new).push_str(&text);
            }
            Ok(Event::GeneralRef(reference)) => {
                let resolved = match &*reference {
                    "lt" => "<",
                    "gt" => ">",
                    "amp" => "&",
                    "apos" => "'",
                    "quot" => "\"",
                    _ => "\u{fffd}",
                };
                if let (Some("Message"), Some(message)) = (path.last().map(String::as_str), &mut message) {
                    message.push_str(resolved);
                }
            }
            Ok(Event::Eof) | Err(_) => return (code, message),
            Ok(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(read_error(xml), (code.map(String::from), message.map(String::from)), "{xml}");
        }
    }
}
