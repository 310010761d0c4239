//! Elements, read back.

use item::{Node, Rect, Visibility};

use crate::cell::Cell;
use crate::record::Record;

/// A node from its cell; published nodes have no style.
pub(crate) fn from_cell(cell: Cell<'_>, with_style: bool) -> Option<Node> {
    let Cell::Many(cells) = cell else { return None };
    let mut fields = Record::new(cells);
    let small = |number: Option<i64>| number.map(u32::try_from).transpose().ok();
    Some(Node {
        tag: fields.text()?,
        parent: small(fields.maybe_int()?)?,
        rect: Rect {
            x: fields.float()? as f32,
            y: fields.float()? as f32,
            width: fields.float()? as f32,
            height: fields.float()? as f32,
        },
        range: small(fields.maybe_int()?)?.zip(small(fields.maybe_int()?)?),
        role: fields.maybe_text()?,
        text: fields.text()?,
        style: if with_style { fields.maybe_text()? } else { None },
        visible: fields.flag()?,
        font_size: fields.float()? as f32,
        color: fields.text()?,
        background: fields.text()?,
        name: fields.text()?,
        visibility: visibility(&fields.text()?)?,
        font_family: fields.text()?,
        font_weight: fields.int()?.try_into().ok()?,
        paint_order: fields.count_u32()?,
    })
}

fn visibility(name: &str) -> Option<Visibility> {
    Visibility::ALL.into_iter().find(|kind| kind.name() == name)
}
