//! JSON, set in lines for reading; the text of every value stays as it was.

use serde::de::IgnoredAny;

/// `text` with a line for each member; `None` where it is not JSON.
pub fn pretty(text: &str) -> Option<String> {
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    let mut out = String::with_capacity(text.len() * 2);
    let mut depth = 0;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => {
                out.push('"');
                while let Some(letter) = letters.next() {
                    out.push(letter);
                    match letter {
                        '\\' => out.extend(letters.next()),
                        '"' => break,
                        _ => {}
                    }
                }
            }
            '{' | '[' => {
                out.push(letter);
                while letters.next_if(char::is_ascii_whitespace).is_some() {}
                if let Some(end) = letters.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(end);
                } else {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth -= 1;
                line(&mut out, depth);
                out.push(letter);
            }
            ',' => {
                out.push(',');
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            _ if letter.is_ascii_whitespace() => {}
            _ => out.push(letter),
        }
    }
    Some(out)
}

fn line(out: &mut String, depth: usize) {
    out.push('\n');
    for _ in 0..depth {
        out.push_str("  ");
    }
}

#[cfg(test)]
mod tests {
    use super::pretty;

    #[test]
    fn values_and_their_order_stay() {
        let text = r#" {"b":[1,2.50,{"x":null}],"a":"q\"{,:}","e":{},"f":[ ]} "#;
        let lines = "{\n  \"b\": [\n    1,\n    2.50,\n    {\n      \"x\": null\n    }\n  ],\n  \"a\": \"q\\\"{,:}\",\n  \"e\": {},\n  \"f\": []\n}";
        assert_eq!(pretty(text).as_deref(), Some(lines));
        assert_eq!(pretty("12345678901234567890123").as_deref(), Some("12345678901234567890123"));
    }

    #[test]
    fn other_text_is_left_alone() {
        assert_eq!(pretty("{'a': 1}"), None);
        assert_eq!(pretty("{\"a\": NaN}"), None);
        assert_eq!(pretty(""), None);
    }
}
