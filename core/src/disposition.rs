//! `Content-Disposition` for a download name, right for any Unicode (RFC 6266, RFC 8187).

use alloc::string::String;

use crate::constraint::ConstraintName;
use crate::encode;
use crate::error::PresignError;

/// `attachment; filename="..."; filename*=UTF-8''...`: an ASCII name for old clients and the true one for all others.
///
/// Directory parts are the client's business and refused here, as are control characters.
pub(crate) fn attachment(name: &str) -> Result<String, PresignError> {
    let invalid = |reason: &'static str| Err(PresignError::invalid(ConstraintName::DownloadName, reason));
    if name.is_empty() {
        return invalid("the download name is empty");
    }
    if name.chars().any(char::is_control) {
        return invalid("the download name has a control character");
    }
    if name.contains(['/', '\\']) {
        return invalid("the download name has a `/` or `\\`; give a file name, not a path");
    }
    let mut value = String::from("attachment; filename=\"");
    for c in name.chars() {
        match c {
            // `%` would be decoded by some clients, and a backslash escape is read differently by others.
            '"' | '%' => value.push('_'),
            c if c.is_ascii() => value.push(c),
            _ => value.push('_'),
        }
    }
    value.push_str("\"; filename*=UTF-8''");
    encode::push_query(&mut value, name);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_an_ascii_form_and_a_true_one() {
        for (name, want) in [
            ("report.pdf", "attachment; filename=\"report.pdf\"; filename*=UTF-8''report.pdf"),
            ("a b.txt", "attachment; filename=\"a b.txt\"; filename*=UTF-8''a%20b.txt"),
            ("été \"1\".txt", "attachment; filename=\"_t_ _1_.txt\"; filename*=UTF-8''%C3%A9t%C3%A9%20%221%22.txt"),
            ("100%;x='y'", "attachment; filename=\"100_;x='y'\"; filename*=UTF-8''100%25%3Bx%3D%27y%27"),
            ("数据.csv", "attachment; filename=\"__.csv\"; filename*=UTF-8''%E6%95%B0%E6%8D%AE.csv"),
        ] {
            assert_eq!(attachment(name).as_deref(), Ok(want));
        }
        for bad in ["", "a\nb", "a/b", "..\\b", "a\r\nSet-Cookie: x=1"] {
            assert_eq!(attachment(bad).unwrap_err().code(), "invalid_value");
        }
    }
}
