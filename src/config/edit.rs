//! Changing one value of the configuration file in place: comments, order and layout of the rest stay.

use toml_edit::{DocumentMut, InlineTable, Item, Table, TableLike, TomlError, value};

/// The text of a configuration with a text value put at `path`; `None` if there is a value already, which stays.
pub fn put_if_absent(text: &str, path: &[&str], new: &str) -> Result<Option<String>, TomlError> {
    let mut document: DocumentMut = text.trim_start_matches('\u{feff}').parse()?;
    let Some((key, sections)) = path.split_last() else { return Ok(None) };
    // What stands behind the last value, as in a file that is all comments, stays above what is added.
    let trailing = document.trailing().as_str().unwrap_or_default().to_owned();
    let had_section = sections
        .iter()
        .try_fold(document.as_item(), |item, section| item.get(section))
        .is_some_and(Item::is_table_like);
    let mut inline = false;
    let mut table: &mut dyn TableLike = document.as_table_mut();
    for (depth, section) in sections.iter().enumerate() {
        if !table.contains_key(section) {
            table.insert(section, if inline { value(InlineTable::new()) } else { Item::Table(section_of_its_own()) });
        }
        let Some(found) = table.get_mut(section) else { return Ok(None) };
        inline = inline || found.is_inline_table();
        if !had_section
            && depth + 1 == sections.len()
            && let Some(last) = found.as_table_mut()
        {
            last.decor_mut().set_prefix(format!("{trailing}\n"));
        }
        // Some other value stands where a section would be: that is for the checks of the whole file.
        let Some(inner) = found.as_table_like_mut() else { return Ok(None) };
        table = inner;
    }
    if table.contains_key(key) {
        return Ok(None);
    }
    table.insert(key, value(new));
    if !had_section && !inline {
        document.set_trailing("");
    }
    Ok(Some(document.to_string()))
}

/// A section that is only written where it has values itself.
fn section_of_its_own() -> Table {
    let mut table = Table::new();
    table.set_implicit(true);
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: [&str; 3] = ["alerts", "discord", "webhook"];

    fn put(text: &str) -> Option<String> {
        put_if_absent(text, &PATH, "keychain:x").unwrap()
    }

    #[test]
    fn a_file_keeps_its_comments_and_gets_a_section() {
        let text = "# mine\nlanguage = \"en\" # English\n\n[heal]\nbudget = 2\n# the end\n";
        let new = put(text).unwrap();
        assert_eq!(new, format!("{text}\n[alerts.discord]\nwebhook = \"keychain:x\"\n"));
        assert_eq!(put(""), Some("\n[alerts.discord]\nwebhook = \"keychain:x\"\n".to_owned()));
        let comments = "# nothing but\n# comments\n";
        assert_eq!(put(comments).unwrap(), format!("{comments}\n[alerts.discord]\nwebhook = \"keychain:x\"\n"));
    }

    #[test]
    fn a_section_that_is_there_takes_the_value() {
        let new = put("[alerts.discord] # ours\nusername = \"Guard\"\n\n[web]\nport = 0\n# end\n").unwrap();
        let expected =
            "[alerts.discord] # ours\nusername = \"Guard\"\nwebhook = \"keychain:x\"\n\n[web]\nport = 0\n# end\n";
        assert_eq!(new, expected);
        let new = put("alerts = { native = { enabled = false } }\n").unwrap();
        let table: toml::Table = toml::from_str(&new).unwrap();
        assert_eq!(table["alerts"]["discord"]["webhook"].as_str(), Some("keychain:x"));
        assert_eq!(table["alerts"]["native"]["enabled"].as_bool(), Some(false));
    }

    #[test]
    fn a_value_that_is_there_stays_and_a_broken_file_is_told() {
        assert_eq!(put("[alerts.discord]\nwebhook = \"file:~/mine\"\n"), None);
        assert_eq!(put("alerts = 3\n"), None);
        assert!(put_if_absent("[alerts\n", &PATH, "x").is_err());
    }

    #[test]
    fn two_values_of_a_section_are_both_put() {
        let one = put_if_absent("# top\n", &["alerts", "telegram", "token"], "a").unwrap().unwrap();
        let two = put_if_absent(&one, &["alerts", "telegram", "chat"], "-1").unwrap().unwrap();
        assert_eq!(two, "# top\n\n[alerts.telegram]\ntoken = \"a\"\nchat = \"-1\"\n");
    }
}
