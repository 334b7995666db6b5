//! The rows as the toolkit has them, patched in place: replacing the menu would close it under the pointer.

use std::mem::discriminant;

use tray_icon::menu::{CheckMenuItem, IsMenuItem, Menu, MenuItem, PredefinedMenuItem, Submenu};

use crate::tray::row::Row;

/// A row on the screen, beside what it shows.
pub(super) struct LiveRow {
    row: Row,
    item: Item,
}

enum Item {
    Plain(MenuItem),
    Check(CheckMenuItem),
    Submenu(Submenu, Vec<LiveRow>),
    Separator(PredefinedMenuItem),
}

/// Where rows hang.
pub(super) enum Parent<'a> {
    Menu(&'a Menu),
    Submenu(&'a Submenu),
}

/// Makes the live rows say what is wanted. A row that stays is changed only where it says something else; rows come
/// and go one by one.
pub(super) fn reconcile(parent: &Parent<'_>, live: &mut Vec<LiveRow>, wanted: &[Row]) {
    for position in (0..live.len()).rev() {
        if !wanted.iter().any(|row| live[position].shows_same(row)) {
            parent.remove(position);
            live.remove(position);
        }
    }
    for (position, row) in wanted.iter().enumerate() {
        let found = live.iter().skip(position).position(|live| live.shows_same(row));
        match found {
            Some(0) => live[position].patch(row),
            Some(further) => {
                parent.remove(position + further);
                let mut moved = live.remove(position + further);
                moved.patch(row);
                parent.insert(moved.item.as_dyn(), position);
                live.insert(position, moved);
            }
            None => {
                let new = LiveRow::new(row);
                parent.insert(new.item.as_dyn(), position);
                live.insert(position, new);
            }
        }
    }
}

/// Sets every tick to what the model says, whatever the toolkit did on a click.
pub(super) fn restore_checks(live: &[LiveRow]) {
    for row in live {
        match (&row.item, &row.row) {
            (Item::Check(item), Row::Check { checked, .. }) => item.set_checked(*checked),
            (Item::Submenu(_, rows), _) => restore_checks(rows),
            _ => {}
        }
    }
}

impl LiveRow {
    fn new(row: &Row) -> Self {
        let key = row.key();
        let item = match row {
            Row::Text { text, .. } => Item::Plain(MenuItem::with_id(key, escape(text), false, None)),
            Row::Item { text, enabled, .. } => Item::Plain(MenuItem::with_id(key, escape(text), *enabled, None)),
            Row::Check { text, enabled, checked, .. } => {
                Item::Check(CheckMenuItem::with_id(key, escape(text), *enabled, *checked, None))
            }
            Row::Submenu { text, rows, .. } => {
                let submenu = Submenu::with_id(key, escape(text), true);
                let mut children = Vec::new();
                reconcile(&Parent::Submenu(&submenu), &mut children, rows);
                Item::Submenu(submenu, children)
            }
            Row::Separator { .. } => Item::Separator(PredefinedMenuItem::separator()),
        };
        Self { row: row.clone(), item }
    }

    fn shows_same(&self, row: &Row) -> bool {
        discriminant(&self.row) == discriminant(row) && self.row.key() == row.key()
    }

    fn patch(&mut self, row: &Row) {
        if self.row == *row {
            return;
        }
        match (&mut self.item, row, &self.row) {
            (Item::Plain(item), Row::Text { text, .. }, Row::Text { text: before, .. }) if text != before => {
                item.set_text(escape(text));
            }
            (
                Item::Plain(item),
                Row::Item { text, enabled, .. },
                Row::Item { text: text_before, enabled: enabled_before, .. },
            ) => {
                if text != text_before {
                    item.set_text(escape(text));
                }
                if enabled != enabled_before {
                    item.set_enabled(*enabled);
                }
            }
            (Item::Check(item), Row::Check { text, enabled, checked, .. }, _) => {
                item.set_text(escape(text));
                item.set_enabled(*enabled);
                item.set_checked(*checked);
            }
            (Item::Submenu(submenu, children), Row::Submenu { text, rows, .. }, Row::Submenu { text: before, .. }) => {
                if text != before {
                    submenu.set_text(escape(text));
                }
                reconcile(&Parent::Submenu(submenu), children, rows);
            }
            _ => {}
        }
        self.row = row.clone();
    }
}

impl Item {
    fn as_dyn(&self) -> &dyn IsMenuItem {
        match self {
            Self::Plain(item) => item,
            Self::Check(item) => item,
            Self::Submenu(item, _) => item,
            Self::Separator(item) => item,
        }
    }
}

impl Parent<'_> {
    fn insert(&self, item: &dyn IsMenuItem, position: usize) {
        let done = match self {
            Self::Menu(menu) => menu.insert(item, position),
            Self::Submenu(submenu) => submenu.insert(item, position),
        };
        if let Err(error) = done {
            tracing::warn!(%error, "a row could not be put into the menu");
        }
    }

    fn remove(&self, position: usize) {
        let removed = match self {
            Self::Menu(menu) => menu.remove_at(position),
            Self::Submenu(submenu) => submenu.remove_at(position),
        };
        if removed.is_none() {
            tracing::warn!(position, "a row that should be in the menu is not there");
        }
    }
}

/// A single `&` marks a letter for the keyboard.
fn escape(text: &str) -> String {
    text.replace('&', "&&")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tray::row::Choice;

    fn text(key: &str, text: &str) -> Row {
        Row::Text { key: key.to_owned(), text: text.to_owned() }
    }

    fn shown(menu: &Menu) -> Vec<String> {
        menu.items()
            .iter()
            .map(|item| match item {
                tray_icon::menu::MenuItemKind::MenuItem(item) => item.text(),
                tray_icon::menu::MenuItemKind::Submenu(item) => {
                    format!("{} ▸ {}", item.text(), item.items().len())
                }
                _ => "?".to_owned(),
            })
            .collect()
    }

    #[test]
    #[cfg_attr(target_os = "macos", ignore = "menus belong to the main thread there")]
    fn rows_are_patched_inserted_moved_and_removed_in_place() {
        let menu = Menu::new();
        let parent = Parent::Menu(&menu);
        let mut live = Vec::new();
        let submenu = |count: usize| Row::Submenu {
            key: "more".to_owned(),
            text: "More".to_owned(),
            rows: (0..count).map(|number| text(&number.to_string(), "x")).collect(),
        };
        reconcile(&parent, &mut live, &[text("a", "A"), text("b", "B & C"), submenu(1)]);
        assert_eq!(shown(&menu), ["A", "B && C", "More ▸ 1"]);
        let first = menu.items()[0].id().clone();
        reconcile(&parent, &mut live, &[text("new", "New"), submenu(2), text("a", "A2")]);
        assert_eq!(shown(&menu), ["New", "More ▸ 2", "A2"]);
        assert_eq!(menu.items()[2].id(), &first);
        let quit = Row::Item { choice: Choice::Quit, text: "Quit".to_owned(), enabled: true };
        reconcile(&parent, &mut live, std::slice::from_ref(&quit));
        assert_eq!(shown(&menu), ["Quit"]);
    }
}
