//! Paths in what is not parsed: the arguments of macros and of attributes.

use proc_macro2::{Ident, TokenStream, TokenTree};

use crate::module::Segments;

/// A path and where it stands.
#[derive(Debug, PartialEq)]
pub(crate) struct Mention {
    pub(crate) path: Segments,
    /// Counted from 1.
    pub(crate) line: usize,
}

/// All that looks like a path: identifiers with `::` between them.
pub(crate) fn paths(tokens: TokenStream) -> Vec<Mention> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut found = Vec::new();
    let mut rest = tokens.as_slice();
    while let Some((token, after)) = rest.split_first() {
        rest = after;
        match token {
            TokenTree::Group(group) => found.extend(paths(group.stream())),
            TokenTree::Ident(first) => {
                let mut path = vec![first.to_string()];
                while let Some((segment, after)) = next_segment(rest) {
                    path.push(segment.to_string());
                    rest = after;
                }
                found.push(Mention { path, line: first.span().start().line });
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
    found
}

/// Of `::name`, the name and what follows.
fn next_segment(tokens: &[TokenTree]) -> Option<(&Ident, &[TokenTree])> {
    match tokens {
        [TokenTree::Punct(one), TokenTree::Punct(two), TokenTree::Ident(name), rest @ ..]
            if one.as_char() == ':' && two.as_char() == ':' =>
        {
            Some((name, rest))
        }
        _ => None,
    }
}

/// Paths in text, as in `#[serde(with = "crate::time")]`.
pub(crate) fn quoted_paths(tokens: TokenStream) -> Vec<Mention> {
    let mut found = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) => found.extend(quoted_paths(group.stream())),
            TokenTree::Literal(literal) => {
                let line = literal.span().start().line;
                let text = syn::parse_str::<syn::LitStr>(&literal.to_string());
                let Ok(path) = text.and_then(|text| text.parse::<syn::Path>()) else { continue };
                let path = path.segments.iter().map(|one| one.ident.to_string()).collect();
                found.push(Mention { path, line });
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) => {}
        }
    }
    found
}
