//! DynamoDB's JSON to plain JSON in one pass over the bytes.

use std::{io, ops::Range};

pub const USER: [&str; 10] =
    ["userId", "name", "email", "phone", "profilePicture", "birthDate", "address", "company", "createdAt", "updatedAt"];
pub const SUMMARY: [&str; 10] =
    ["productId", "name", "category", "brand", "price", "currency", "rating", "stock", "thumbnail", "createdAt"];

/// The members of ExpressionAttributeNames, and the ProjectionExpression.
pub fn placeholders<'a>(names: impl Iterator<Item = &'a str>) -> (String, String) {
    let (mut members, mut projection) = (String::new(), String::new());
    for (i, name) in names.enumerate() {
        let comma = if i == 0 { "" } else { "," };
        members.push_str(&format!("{comma}\"#p{i}\":\"{name}\""));
        projection.push_str(&format!("{comma}#p{i}"));
    }
    (members, projection)
}

/// The item of a GetItem.
pub fn one(answer: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    let mut scan = Scan { bytes: answer, at: 0 };
    let mut written = Written::default();
    scan.object(|scan, name| if name == b"Item" { written.item(scan, &USER, out) } else { scan.skip() })
}

/// The page of a Query that asked for one item more than `limit`.
pub fn page(answer: &[u8], limit: usize, out: &mut Vec<u8>) -> io::Result<()> {
    let mut scan = Scan { bytes: answer, at: 0 };
    let mut written = Written::default();
    let mut count = 0;
    let mut next = None;
    out.extend_from_slice(b"{\"items\":[");
    scan.object(|scan, name| {
        if name != b"Items" {
            return scan.skip();
        }
        scan.array(|scan| {
            count += 1;
            if count > limit {
                if count == limit + 1 {
                    let key = [b"{\"createdAt\":", written.value(9), b",\"productId\":", written.value(0), b"}"].concat();
                    next = Some(base64(&key));
                }
                return scan.skip();
            }
            if count > 1 {
                out.push(b',');
            }
            written.item(scan, &SUMMARY, out)
        })
    })?;
    let next = next.map_or_else(|| "null".to_owned(), |next| format!("\"{next}\""));
    out.extend_from_slice(format!("],\"page\":{{\"limit\":{limit},\"next\":{next},\"prev\":null}}}}").as_bytes());
    Ok(())
}

/// The values of one item as they come, to be put into order.
#[derive(Default)]
struct Written {
    values: Vec<u8>,
    places: [Range<usize>; 10],
}

impl Written {
    fn value(&self, field: usize) -> &[u8] {
        &self.values[self.places[field].clone()]
    }

    fn item(&mut self, scan: &mut Scan<'_>, fields: &[&str; 10], out: &mut Vec<u8>) -> io::Result<()> {
        self.values.clear();
        self.places = Default::default();
        scan.object(|scan, name| {
            let Some(field) = fields.iter().position(|field| field.as_bytes() == name) else { return scan.skip() };
            let start = self.values.len();
            scan.value(&mut self.values)?;
            self.places[field] = start..self.values.len();
            Ok(())
        })?;
        let mut separator = b'{';
        for (name, place) in fields.iter().zip(&self.places) {
            if !place.is_empty() {
                out.push(separator);
                separator = b',';
                out.push(b'"');
                out.extend_from_slice(name.as_bytes());
                out.extend_from_slice(b"\":");
                out.extend_from_slice(&self.values[place.clone()]);
            }
        }
        out.push(b'}');
        Ok(())
    }
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    fn peek(&mut self) -> io::Result<u8> {
        while let Some(byte) = self.bytes.get(self.at) {
            if !byte.is_ascii_whitespace() {
                return Ok(*byte);
            }
            self.at += 1;
        }
        Err(io::ErrorKind::InvalidData.into())
    }

    fn take(&mut self, wanted: u8) -> io::Result<()> {
        if self.peek()? != wanted {
            return Err(io::ErrorKind::InvalidData.into());
        }
        self.at += 1;
        Ok(())
    }

    /// A string's bytes without its quotes, escapes as they are.
    fn string(&mut self) -> io::Result<&'a [u8]> {
        self.take(b'"')?;
        let start = self.at;
        loop {
            match self.bytes.get(self.at) {
                Some(b'"') => break,
                Some(b'\\') => self.at += 2,
                Some(_) => self.at += 1,
                None => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
        self.at += 1;
        Ok(&self.bytes[start..self.at - 1])
    }

    fn object(&mut self, mut member: impl FnMut(&mut Self, &'a [u8]) -> io::Result<()>) -> io::Result<()> {
        self.take(b'{')?;
        if self.peek()? == b'}' {
            return self.take(b'}');
        }
        loop {
            let name = self.string()?;
            self.take(b':')?;
            member(self, name)?;
            match self.peek()? {
                b',' => self.at += 1,
                _ => return self.take(b'}'),
            }
        }
    }

    fn array(&mut self, mut element: impl FnMut(&mut Self) -> io::Result<()>) -> io::Result<()> {
        self.take(b'[')?;
        if self.peek()? == b']' {
            return self.take(b']');
        }
        loop {
            element(self)?;
            match self.peek()? {
                b',' => self.at += 1,
                _ => return self.take(b']'),
            }
        }
    }

    fn skip(&mut self) -> io::Result<()> {
        match self.peek()? {
            b'{' => self.object(|scan, _| scan.skip()),
            b'[' => self.array(Self::skip),
            b'"' => self.string().map(drop),
            _ => {
                while self.bytes.get(self.at).is_some_and(|byte| !matches!(byte, b',' | b'}' | b']')) {
                    self.at += 1;
                }
                Ok(())
            }
        }
    }

    /// `{"S":"x"}` becomes `"x"`.
    fn value(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        self.object(|scan, kind| {
            match kind {
                b"S" | b"B" => quoted(scan.string()?, out),
                b"N" => out.extend_from_slice(scan.string()?),
                b"M" => {
                    let mut separator = b'{';
                    scan.object(|scan, name| {
                        out.push(separator);
                        separator = b',';
                        quoted(name, out);
                        out.push(b':');
                        scan.value(out)
                    })?;
                    if separator == b'{' {
                        out.push(b'{');
                    }
                    out.push(b'}');
                }
                b"L" | b"SS" | b"NS" => {
                    let mut separator = b'[';
                    scan.array(|scan| {
                        out.push(separator);
                        separator = b',';
                        match kind {
                            b"L" => scan.value(out)?,
                            b"SS" => quoted(scan.string()?, out),
                            _ => out.extend_from_slice(scan.string()?),
                        }
                        Ok(())
                    })?;
                    if separator == b'[' {
                        out.push(b'[');
                    }
                    out.push(b']');
                }
                _ => {
                    let start = scan.at;
                    scan.skip()?;
                    out.extend_from_slice(if kind == b"NULL" { b"null" } else { &scan.bytes[start..scan.at] });
                }
            }
            Ok(())
        })
    }
}

fn quoted(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(text);
    out.push(b'"');
}

/// Puts JSON into a JSON string.
pub fn escape(json: &[u8], out: &mut Vec<u8>) {
    out.reserve(json.len() + json.len() / 4);
    let mut from = 0;
    for (i, byte) in json.iter().enumerate() {
        if matches!(byte, b'"' | b'\\') {
            out.extend_from_slice(&json[from..i]);
            out.push(b'\\');
            from = i;
        }
    }
    out.extend_from_slice(&json[from..]);
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let number = three.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for i in 0..=three.len() {
            text.push(char::from(DIGITS[(number >> (18 - 6 * i) & 63) as usize]));
        }
    }
    text
}
