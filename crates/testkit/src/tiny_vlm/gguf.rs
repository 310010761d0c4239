//! GGUF files, version 3: keys with values, then 32-bit tensors.
//!
//! All numbers are little-endian. Each tensor begins at a multiple of [`ALIGNMENT`], counted from the first one.

const MAGIC: &[u8; 4] = b"GGUF";
const VERSION: u32 = 3;
/// What readers expect where no key says otherwise.
const ALIGNMENT: usize = 32;
/// The number of 32-bit floats among the types of tensors.
const TENSOR_F32: u32 = 0;

/// A value of a key.
#[derive(Debug, Clone)]
pub(super) enum Value {
    U32(u32),
    F32(f32),
    Bool(bool),
    Text(String),
    I32s(Vec<i32>),
    F32s(Vec<f32>),
    Texts(Vec<String>),
}

impl Value {
    /// The numbers of the types that are used here.
    const TYPE_U32: u32 = 4;
    const TYPE_I32: u32 = 5;
    const TYPE_F32: u32 = 6;
    const TYPE_BOOL: u32 = 7;
    const TYPE_TEXT: u32 = 8;
    const TYPE_ARRAY: u32 = 9;

    fn push(&self, out: &mut Vec<u8>) {
        match self {
            Self::U32(number) => {
                push_u32(out, Self::TYPE_U32);
                push_u32(out, *number);
            }
            Self::F32(number) => {
                push_u32(out, Self::TYPE_F32);
                out.extend(number.to_le_bytes());
            }
            Self::Bool(flag) => {
                push_u32(out, Self::TYPE_BOOL);
                out.push(u8::from(*flag));
            }
            Self::Text(text) => {
                push_u32(out, Self::TYPE_TEXT);
                push_text(out, text);
            }
            Self::I32s(numbers) => {
                push_array_head(out, Self::TYPE_I32, numbers.len());
                out.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
            }
            Self::F32s(numbers) => {
                push_array_head(out, Self::TYPE_F32, numbers.len());
                out.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
            }
            Self::Texts(texts) => {
                push_array_head(out, Self::TYPE_TEXT, texts.len());
                for text in texts {
                    push_text(out, text);
                }
            }
        }
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::U32(number)
    }
}

impl From<f32> for Value {
    fn from(number: f32) -> Self {
        Self::F32(number)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// A file in the making.
#[derive(Debug, Clone, Default)]
pub(super) struct Gguf {
    key_count: u64,
    /// The keys as they are written.
    keys: Vec<u8>,
    tensors: Vec<Tensor>,
}

#[derive(Debug, Clone)]
struct Tensor {
    name: String,
    /// Lengths of the dimensions, the one whose neighbours are adjacent in memory first.
    shape: Vec<u64>,
    data: Vec<u8>,
}

impl Gguf {
    /// Sets a key, once.
    pub(super) fn set(&mut self, key: &str, value: impl Into<Value>) {
        push_text(&mut self.keys, key);
        value.into().push(&mut self.keys);
        self.key_count += 1;
    }

    /// Adds a tensor. The dimension whose neighbours are adjacent in memory comes first in `shape`.
    ///
    /// # Panics
    /// Where `data` is not as long as the shape says.
    pub(super) fn tensor(&mut self, name: &str, shape: &[u32], data: &[f32]) {
        let shape: Vec<u64> = shape.iter().copied().map(u64::from).collect();
        assert_eq!(shape.iter().product::<u64>(), data.len() as u64, "{name}");
        let data = data.iter().flat_map(|number| number.to_le_bytes()).collect();
        self.tensors.push(Tensor { name: name.to_owned(), shape, data });
    }

    /// The file.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        push_u32(&mut out, VERSION);
        push_u64(&mut out, self.tensors.len() as u64);
        push_u64(&mut out, self.key_count);
        out.extend(&self.keys);
        let mut offset = 0;
        for tensor in &self.tensors {
            push_text(&mut out, &tensor.name);
            push_u32(&mut out, tensor.shape.len() as u32);
            for &length in &tensor.shape {
                push_u64(&mut out, length);
            }
            push_u32(&mut out, TENSOR_F32);
            push_u64(&mut out, offset as u64);
            offset += tensor.data.len().next_multiple_of(ALIGNMENT);
        }
        align(&mut out);
        for tensor in &self.tensors {
            out.extend(&tensor.data);
            align(&mut out);
        }
        out
    }
}

fn align(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(ALIGNMENT), 0);
}

fn push_u32(out: &mut Vec<u8>, number: u32) {
    out.extend(number.to_le_bytes());
}

fn push_u64(out: &mut Vec<u8>, number: u64) {
    out.extend(number.to_le_bytes());
}

fn push_text(out: &mut Vec<u8>, text: &str) {
    push_u64(out, text.len() as u64);
    out.extend(text.as_bytes());
}

fn push_array_head(out: &mut Vec<u8>, element_type: u32, length: usize) {
    push_u32(out, Value::TYPE_ARRAY);
    push_u32(out, element_type);
    push_u64(out, length as u64);
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// What a reader finds in a file.
    #[derive(Debug, Default)]
    pub(in crate::tiny_vlm) struct Found {
        /// Keys with the bytes of their values (of an array: of its elements).
        pub(in crate::tiny_vlm) keys: BTreeMap<String, Vec<u8>>,
        /// Tensors with their numbers.
        pub(in crate::tiny_vlm) tensors: BTreeMap<String, Vec<f32>>,
    }

    /// Reads a file from its first byte to its last.
    pub(in crate::tiny_vlm) fn read(file: &[u8]) -> Found {
        let mut reader = Reader { rest: file };
        assert_eq!(reader.take(4), MAGIC);
        assert_eq!(reader.u32(), VERSION);
        let (tensor_count, key_count) = (reader.u64(), reader.u64());
        let mut found = Found::default();
        for _ in 0..key_count {
            let key = reader.text();
            let value = reader.value();
            assert!(found.keys.insert(key.clone(), value).is_none(), "{key} is there twice");
        }
        let heads: Vec<_> = (0..tensor_count).map(|_| reader.tensor_head()).collect();
        let data_start = (file.len() - reader.rest.len()).next_multiple_of(ALIGNMENT);
        let mut end = data_start;
        for (name, length, offset) in heads {
            assert_eq!(data_start + offset, end, "{name} follows the tensor before it");
            let bytes = &file[end..end + length * 4];
            let numbers = bytes.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect();
            assert!(found.tensors.insert(name.clone(), numbers).is_none(), "{name} is there twice");
            end = (end + length * 4).next_multiple_of(ALIGNMENT);
        }
        assert_eq!(end, file.len(), "nothing comes after the last tensor");
        found
    }

    struct Reader<'file> {
        rest: &'file [u8],
    }

    impl<'file> Reader<'file> {
        fn take(&mut self, count: usize) -> &'file [u8] {
            let (taken, rest) = self.rest.split_at(count);
            self.rest = rest;
            taken
        }

        fn u32(&mut self) -> u32 {
            u32::from_le_bytes(self.take(4).try_into().unwrap())
        }

        fn u64(&mut self) -> u64 {
            u64::from_le_bytes(self.take(8).try_into().unwrap())
        }

        fn text(&mut self) -> String {
            let length = self.u64() as usize;
            String::from_utf8(self.take(length).to_vec()).unwrap()
        }

        fn value(&mut self) -> Vec<u8> {
            let (mut element_type, mut length) = (self.u32(), 1);
            if element_type == Value::TYPE_ARRAY {
                (element_type, length) = (self.u32(), self.u64());
            }
            let before = self.rest;
            for _ in 0..length {
                match element_type {
                    Value::TYPE_U32 | Value::TYPE_I32 | Value::TYPE_F32 => {
                        self.take(4);
                    }
                    Value::TYPE_BOOL => assert!(self.take(1)[0] <= 1),
                    Value::TYPE_TEXT => {
                        self.text();
                    }
                    other => panic!("no type {other}"),
                }
            }
            before[..before.len() - self.rest.len()].to_vec()
        }

        /// Name, number of elements and offset of a tensor.
        fn tensor_head(&mut self) -> (String, usize, usize) {
            let name = self.text();
            let dimensions = self.u32();
            let length = (0..dimensions).map(|_| self.u64()).product::<u64>();
            assert_eq!(self.u32(), TENSOR_F32);
            (name, length as usize, self.u64() as usize)
        }
    }

    #[test]
    fn what_is_written_can_be_read() {
        let mut gguf = Gguf::default();
        gguf.set("a.number", 7_u32);
        gguf.set("a.text", "häuser");
        gguf.set("a.flag", true);
        gguf.set("a.list", Value::Texts(vec![String::new(), "x".to_owned()]));
        gguf.set("a.float", 0.5_f32);
        gguf.tensor("odd", &[3, 1], &[1.0, 2.0, 3.0]);
        gguf.tensor("even", &[2, 2, 2], &[4.0; 8]);
        let found = read(&gguf.into_bytes());
        assert_eq!(found.keys["a.number"], 7_u32.to_le_bytes());
        assert_eq!(found.keys["a.text"][8..], *"häuser".as_bytes());
        assert_eq!(found.keys["a.list"].len(), 8 + 8 + 1);
        assert_eq!(found.tensors["odd"], [1.0, 2.0, 3.0]);
        assert_eq!(found.tensors["even"], [4.0; 8]);
    }
}
