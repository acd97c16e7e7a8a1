//! The query of a signed URL, with gaps for what is new in each.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use smallvec::SmallVec;
use zeroize::Zeroizing;

/// Parameters of one request, encoded and sorted by encoded name. A handful needs no allocation.
pub type OwnParameters<'a> = SmallVec<[(Cow<'a, str>, Cow<'a, str>); 4]>;

/// What is filled into a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// The time of the day, `HHMMSSZ`; the day stands before it.
    Time,
    /// The life in seconds.
    Life,
    /// The names of the signed headers.
    SignedHeaders,
}

/// The signer's parameters of a day, written once in canonical order, and gaps for what each signature fills in. The parameters of a request are merged in
/// where they belong.
///
/// ```
/// use valetkey_core::{Gap, QueryTemplate};
///
/// let mut template = QueryTemplate::default();
/// template.parameter("x-credential", "AKID%2F20261122");
/// template.parameter("x-expires", "").gap(Gap::Life);
/// template.parameter("x-version", "4");
/// let own = [("a".into(), "1".into()), ("x-owner".into(), "7".into()), ("z".into(), "".into())];
/// let mut query = String::new();
/// template.push(&mut query, &own, |query, _| query.push_str("900"));
/// assert_eq!(query, "a=1&x-credential=AKID%2F20261122&x-expires=900&x-owner=7&x-version=4&z=");
/// ```
#[derive(Default)]
pub struct QueryTemplate {
    /// It holds the session token.
    text: Zeroizing<String>,
    /// Each name, and where it begins.
    names: Vec<(&'static str, usize)>,
    gaps: Vec<(usize, Gap)>,
    bare_names: bool,
}

impl QueryTemplate {
    /// With room for so many bytes, so that a token among them is not left behind where the text was before it grew.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self { text: Zeroizing::new(String::with_capacity(bytes)), ..Self::default() }
    }

    /// An own parameter without a value is written without `=`.
    #[must_use]
    pub const fn with_bare_names(mut self) -> Self {
        self.bare_names = true;
        self
    }

    /// Adds a parameter; name and value are encoded already, and no name comes before the ones that were added.
    pub fn parameter(&mut self, name: &'static str, value: &str) -> &mut Self {
        if !self.text.is_empty() {
            self.text.push('&');
        }
        self.names.push((name, self.text.len()));
        for part in [name, "=", value] {
            self.text.push_str(part);
        }
        self
    }

    /// A gap after what was written.
    pub fn gap(&mut self, gap: Gap) -> &mut Self {
        self.gaps.push((self.text.len(), gap));
        self
    }

    /// Bytes without what fills the gaps.
    #[must_use]
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether nothing was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// How many of `own`, which is sorted, stand before the first parameter.
    pub(crate) fn first_behind(&self, own: &[(Cow<'_, str>, Cow<'_, str>)]) -> usize {
        let first = self.names.first().map_or("", |(name, _)| name);
        own.iter().take_while(|(name, _)| name.as_ref() < first).count()
    }

    /// Whether none of `own`, which is sorted, stands between two parameters.
    pub(crate) fn is_outside(&self, own: &[(Cow<'_, str>, Cow<'_, str>)]) -> bool {
        let last = self.names.last().map_or("", |(name, _)| name);
        own.is_empty() || own.get(self.first_behind(own)..).unwrap_or_default().first().is_none_or(|(name, _)| name.as_ref() > last)
    }

    /// Appends the query. `own` is sorted and has none of the template's names; `fill` writes what belongs into a gap.
    #[inline]
    pub fn push(&self, out: &mut String, own: &[(Cow<'_, str>, Cow<'_, str>)], mut fill: impl FnMut(&mut String, Gap)) {
        let (mut own, mut from) = (own, 0);
        for &(to, gap) in &self.gaps {
            own = self.push_stretch(out, from..to, own);
            fill(out, gap);
            from = to;
        }
        own = self.push_stretch(out, from..self.text.len(), own);
        for (index, (name, value)) in own.iter().enumerate() {
            if index > 0 || !self.text.is_empty() {
                out.push('&');
            }
            self.push_own(out, name, value);
        }
    }

    /// Appends a part of the text with those of `own` that come before a name in it, and gives back the others.
    #[inline]
    fn push_stretch<'o, 'a>(&self, out: &mut String, stretch: Range<usize>, own: &'o [(Cow<'a, str>, Cow<'a, str>)]) -> &'o [(Cow<'a, str>, Cow<'a, str>)] {
        let (mut own, mut from) = (own, stretch.start);
        while let Some(((name, value), others)) = own.split_first()
            && let Some(at) = self.names.iter().find(|(other, _)| name.as_ref() < *other).map(|(_, at)| *at).filter(|at| *at < stretch.end)
        {
            out.push_str(self.text.get(from..at).unwrap_or_default());
            self.push_own(out, name, value);
            out.push('&');
            (own, from) = (others, at);
        }
        out.push_str(self.text.get(from..stretch.end).unwrap_or_default());
        own
    }

    pub(crate) fn push_own(&self, out: &mut String, name: &str, value: &str) {
        out.push_str(name);
        if !self.bare_names || !value.is_empty() {
            out.push('=');
            out.push_str(value);
        }
    }
}

/// It holds the session token.
impl core::fmt::Debug for QueryTemplate {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("QueryTemplate(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::ToString;

    fn template() -> QueryTemplate {
        let mut template = QueryTemplate::default();
        template.parameter("b", "1").parameter("d", "").gap(Gap::Time);
        template.parameter("f", "").gap(Gap::Life).parameter("h", "2");
        template.parameter("j", "").gap(Gap::SignedHeaders);
        template
    }

    /// Every subset of names before, between and after those of the template comes out as a sort would have it.
    #[test]
    fn own_parameters_stand_where_a_sort_puts_them() {
        for bare in [false, true] {
            let template = if bare { template().with_bare_names() } else { template() };
            for subset in 0..1_u32 << 8 {
                let chosen: Vec<String> = ["a", "aa", "c", "e", "g", "i", "k", "kk"]
                    .iter()
                    .enumerate()
                    .filter(|(n, _)| subset & (1 << n) != 0)
                    .map(|(_, name)| name.to_string())
                    .collect();
                let own: OwnParameters<'_> = chosen.iter().map(|name| (Cow::from(name.as_str()), Cow::from(if name == "e" { "" } else { "x" }))).collect();
                let mut query = String::new();
                template.push(&mut query, &own, |query, gap| query.push_str(&format!("{gap:?}")));
                let fixed = ["b=1", "d=Time", "f=Life", "h=2", "j=SignedHeaders"].map(ToString::to_string);
                let own = chosen.iter().map(|name| {
                    if name != "e" {
                        format!("{name}=x")
                    } else if bare {
                        "e".into()
                    } else {
                        "e=".into()
                    }
                });
                let mut wanted: Vec<String> = fixed.into_iter().chain(own).collect();
                wanted.sort_unstable();
                assert_eq!(query, wanted.join("&"));
            }
        }
    }

    #[test]
    fn without_a_template_the_own_parameters_remain() {
        let own: OwnParameters<'_> = [("a".into(), "1".into()), ("b".into(), "".into())].into_iter().collect();
        let mut query = String::new();
        QueryTemplate::default().push(&mut query, &own, |_, _| {});
        assert_eq!(query, "a=1&b=");
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", template()), "QueryTemplate(..)");
    }
}
