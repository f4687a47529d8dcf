//! Tables in text, as RFC 4180 has them.

/// The first `most` rows; fields are apart by `apart`, quoted ones may hold it and line ends. The second: whether there are more.
pub fn rows(text: &str, apart: char, most: usize) -> (Vec<Vec<String>>, bool) {
    let mut rows = Vec::new();
    let mut row = Vec::new();
    let mut field = String::new();
    let mut quoted = false;
    let mut letters = text.trim_start_matches('\u{feff}').chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.next_if_eq(&'"').is_some() => field.push('"'),
            '"' if quoted => quoted = false,
            _ if quoted => field.push(letter),
            '"' if field.is_empty() => quoted = true,
            '\r' if letters.peek() == Some(&'\n') => {}
            '\n' => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
                if rows.len() == most {
                    return (rows, letters.peek().is_some());
                }
            }
            _ if letter == apart => row.push(std::mem::take(&mut field)),
            _ => field.push(letter),
        }
    }
    if !row.is_empty() || !field.is_empty() {
        row.push(field);
        rows.push(row);
    }
    (rows, false)
}

#[cfg(test)]
mod tests {
    use super::rows;

    #[test]
    fn quotes_hold_what_parts() {
        let (read, more) = rows("\u{feff}a,b\r\n1,\"x,\ny\"\n2,\"q\"\"q\"\n,", ',', 10);
        assert_eq!(read, [["a", "b"], ["1", "x,\ny"], ["2", "q\"q"], ["", ""]]);
        assert!(!more);
    }

    #[test]
    fn only_the_first_rows_are_read() {
        assert_eq!(rows("a\nb\nc\n", '\t', 2), (vec![vec!["a".to_owned()], vec!["b".to_owned()]], true));
        assert!(!rows("a\nb\n", ',', 2).1);
        assert!(rows("", ',', 2).0.is_empty());
    }
}
