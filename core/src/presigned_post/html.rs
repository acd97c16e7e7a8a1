//! The form as a page.

use alloc::format;
use alloc::string::{String, ToString};

use super::{OpenField, PresignedPost};
use crate::encode::markup;
use crate::post_policy::ValueRule;

// No script, nothing from elsewhere, and the page sends itself nowhere but to the store.
const HEAD: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>Upload a file</title>
<style>
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 36rem; padding: 0 1rem; }
label { display: block; font-weight: 600; margin-top: 1rem; }
input, select, button { box-sizing: border-box; font: inherit; max-width: 100%; padding: .4rem; width: 100%; }
button { margin-top: 1.5rem; width: auto; padding: .5rem 1.5rem; }
.hint { margin: .25rem 0 0; opacity: .8; }
</style>
</head>
<body>
<main>
<h1>Upload a file</h1>
"#;

const TAIL: &str = "<button type=\"submit\">Upload</button>\n</form>\n</main>\n</body>\n</html>\n";

pub(super) fn page(post: &PresignedPost) -> String {
    let mut page = String::with_capacity(4096);
    page.push_str(HEAD);
    page.push_str(&format!("<form method=\"post\" action=\"{}\" enctype=\"multipart/form-data\" accept-charset=\"utf-8\">\n", markup(&post.url)));
    for (name, value) in post.fields.iter() {
        page.push_str(&format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">\n", markup(name), markup(value)));
    }
    for (index, open) in post.unfilled().enumerate() {
        push_input(&mut page, index, open, post.is_type(open.name()));
    }
    let accept = post.file_limits.content_type.as_deref().filter(|accept| is_accept(accept));
    page.push_str("<label for=\"file\">File</label>\n<input id=\"file\" type=\"file\" name=\"file\" required aria-describedby=\"limits\"");
    if let Some(accept) = accept {
        page.push_str(&format!(" accept=\"{}\"", markup(accept)));
    }
    page.push_str(&format!(">\n<p class=\"hint\" id=\"limits\">{}</p>\n", markup(&limits(post))));
    page.push_str(TAIL);
    page
}

/// A visible input with a label and the rule in words.
fn push_input(page: &mut String, index: usize, open: &OpenField, is_type: bool) {
    let (id, name) = (format!("field-{index}"), markup(open.name()));
    let label = if is_type { format!("Type of the file ({name})") } else { name.clone() };
    page.push_str(&format!("<label for=\"{id}\">{label}</label>\n"));
    match open.rule() {
        ValueRule::OneOf(values) => {
            page.push_str(&format!("<select id=\"{id}\" name=\"{name}\" required>\n"));
            for value in values {
                let value = markup(value);
                page.push_str(&format!("<option value=\"{value}\">{value}</option>\n"));
            }
            page.push_str("</select>\n");
        }
        _ => {
            let value = markup(open.example());
            let pattern = pattern(open, is_type).map(|pattern| format!(" required pattern=\"{pattern}\"")).unwrap_or_default();
            page.push_str(&format!("<input id=\"{id}\" name=\"{name}\" value=\"{value}\" aria-describedby=\"{id}-hint\"{pattern}>\n"));
            page.push_str(&format!("<p class=\"hint\" id=\"{id}-hint\">{}</p>\n", markup(&hint(open, is_type))));
        }
    }
}

/// The rule as a person is told it.
fn hint(open: &OpenField, is_type: bool) -> String {
    match open.rule() {
        ValueRule::Prefix(prefix) if is_type && prefix.is_empty() => "For example text/plain.".to_string(),
        ValueRule::Prefix(prefix) if is_type && prefix == "image/" => "It begins with image/, for example image/png.".to_string(),
        ValueRule::Prefix(prefix) if prefix.is_empty() => "Any text.".to_string(),
        ValueRule::Prefix(prefix) => format!("It begins with {prefix}"),
        _ => format!("It {}.", open.describe()),
    }
}

/// The prefix of a type is no type: a browser asks for the rest of it before it sends the form.
fn pattern(open: &OpenField, is_type: bool) -> Option<String> {
    let ValueRule::Prefix(prefix) = open.rule() else { return None };
    let escaped = |c: char| if c.is_ascii_alphanumeric() { c.to_string() } else { format!("\\u{{{:x}}}", u32::from(c)) };
    is_type.then(|| format!("{}.+", prefix.chars().map(escaped).collect::<String>()))
}

/// Whether browsers read it: whole types and `type/*`.
fn is_accept(accept: &str) -> bool {
    accept.split(',').all(|item| item.split_once('/').is_some_and(|(_, rest)| rest == "*" || !rest.contains('*')))
}

fn limits(post: &PresignedPost) -> String {
    let limits = &post.file_limits;
    let mut text = match (limits.min, limits.max) {
        (0, max) => format!("At most {}.", bytes(max)),
        (min, max) if min == max => format!("Exactly {}.", bytes(max)),
        (min, max) => format!("{} to {}.", bytes(min), bytes(max)),
    };
    if let Some(content_type) = &limits.content_type {
        text.push_str(&format!(" Type: {content_type}."));
    }
    text.push_str(&format!(" The form can be used until {}.", post.expiration));
    // With 204 and no redirect a browser shows nothing.
    let shows = |name| post.fields.value_ignoring_case(name).is_some_and(|value| value != "204");
    if !shows("success_action_redirect") && !shows("redirect") && !shows("success_action_status") {
        text.push_str(" When the upload is complete, this page stays as it is.");
    }
    text
}

/// A size that a person reads, exact where it is a whole number of units.
fn bytes(size: u64) -> String {
    for (unit, name) in [(1_u64 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")] {
        if size >= unit && size.is_multiple_of(unit) {
            return format!("{} {name}", size / unit);
        }
    }
    if size == 1 { "1 byte".to_string() } else { format!("{size} bytes") }
}
