//! The part of HTTP/1.1 that two well-behaved servers need: a head, and a body of a known length.

use std::io::{self, Read, Write};

pub struct Message<'a> {
    pub head: &'a str,
    pub body: &'a [u8],
}

pub fn send(stream: &mut impl Write, head: &[u8], body: &[u8]) -> io::Result<()> {
    if body.is_empty() {
        stream.write_all(head)?;
    } else {
        let mut all = Vec::with_capacity(head.len() + body.len());
        all.extend_from_slice(head);
        all.extend_from_slice(body);
        stream.write_all(&all)?;
    }
    stream.flush()
}

/// Reads one message into `buffer`. No other message follows, because only one request is sent at a
/// time.
pub fn receive<'a>(stream: &mut impl Read, buffer: &'a mut Vec<u8>) -> io::Result<Message<'a>> {
    let (mut filled, mut end, mut length) = (0, None, 0);
    loop {
        if end.is_some_and(|end| filled >= end + length) {
            break;
        }
        if buffer.len() < filled + 16_384 {
            buffer.resize(filled + 32_768, 0);
        }
        let read = stream.read(&mut buffer[filled..])?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        filled += read;
        if end.is_none()
            && let Some(at) = buffer[..filled].windows(4).position(|four| four == b"\r\n\r\n")
        {
            let head = std::str::from_utf8(&buffer[..at]).map_err(io::Error::other)?;
            length = header(head, "content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
            end = Some(at + 4);
        }
    }
    let end = end.unwrap_or_default();
    let head = std::str::from_utf8(&buffer[..end]).map_err(io::Error::other)?;
    Ok(Message { head, body: &buffer[end..end + length] })
}

pub fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.split("\r\n").find_map(|line| {
        let (this, value) = line.split_once(':')?;
        this.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}
