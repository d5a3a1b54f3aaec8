//! The HTTP/1.1 of the two mock servers, on blocking threads, so that the measured programs wait
//! only for a socket.

use memchr::memmem;
use std::io::{self, Read};

/// One message: its first line, its headers with names in lower case, its body.
#[derive(Debug, Clone, Default)]
pub(crate) struct Message {
    pub(crate) first: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Message {
    /// The first value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The method and the path of a request; the version and the status of a response.
    pub(crate) fn words(&self) -> (&str, &str) {
        let mut words = self.first.split(' ');
        (words.next().unwrap_or(""), words.next().unwrap_or(""))
    }
}

/// Reads the next message of a stream; `left` keeps the bytes after it. Returns `None` at the end
/// of the stream.
pub(crate) fn read(stream: &mut impl Read, left: &mut Vec<u8>) -> io::Result<Option<Message>> {
    let mut from = 0;
    let head_end = loop {
        if let Some(at) = find(left.get(from..).unwrap_or_default(), b"\r\n\r\n") {
            break from + at;
        }
        from = left.len().saturating_sub(3);
        if !fill(stream, left)? {
            return if left.is_empty() {
                Ok(None)
            } else {
                Err(io::ErrorKind::UnexpectedEof.into())
            };
        }
    };
    let mut message = head(left.get(..head_end).unwrap_or_default());
    let mut at = head_end + 4;
    if message
        .header("transfer-encoding")
        .is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"))
    {
        loop {
            let line_end = at + until(stream, left, at, b"\r\n")?;
            let size = std::str::from_utf8(left.get(at..line_end).unwrap_or_default())
                .map_err(io::Error::other)?;
            let size = usize::from_str_radix(size.split(';').next().unwrap_or("").trim(), 16)
                .map_err(io::Error::other)?;
            at = line_end + 2;
            wait(stream, left, at + size + 2)?;
            message.body.extend_from_slice(left.get(at..at + size).unwrap_or_default());
            at += size + 2;
            if size == 0 {
                break;
            }
        }
    } else {
        let size = message.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
        wait(stream, left, at + size)?;
        message.body.extend_from_slice(left.get(at..at + size).unwrap_or_default());
        at += size;
    }
    left.drain(..at);
    Ok(Some(message))
}

fn head(bytes: &[u8]) -> Message {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.split("\r\n");
    let first = lines.next().unwrap_or("").to_owned();
    let header = |line: &str| {
        line.split_once(':')
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
    };
    Message { first, headers: lines.filter_map(header).collect(), body: Vec::new() }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    memmem::find(bytes, wanted)
}

fn until(
    stream: &mut impl Read,
    left: &mut Vec<u8>,
    from: usize,
    wanted: &[u8],
) -> io::Result<usize> {
    loop {
        if let Some(at) = find(left.get(from..).unwrap_or_default(), wanted) {
            return Ok(at);
        }
        wait(stream, left, left.len() + 1)?;
    }
}

fn wait(stream: &mut impl Read, left: &mut Vec<u8>, length: usize) -> io::Result<()> {
    while left.len() < length {
        if !fill(stream, left)? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}

fn fill(stream: &mut impl Read, left: &mut Vec<u8>) -> io::Result<bool> {
    // On the stack, because filling the vector with zeros is a loop in a build without
    // optimization, and took longer than the rest.
    let mut chunk = [0; 1 << 14];
    let read = stream.read(&mut chunk)?;
    left.extend_from_slice(chunk.get(..read).unwrap_or_default());
    Ok(read > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time.
    struct Drip<'a>(&'a [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let Some((first, rest)) = self.0.split_first() else { return Ok(0) };
            out[0] = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    #[test]
    fn messages_are_told_apart_however_they_come() {
        let mut stream = Drip(
            b"POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcPOST /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwxyz\r\n1;x\r\n!\r\n0\r\n\r\nGET /c HTTP/1.1\r\n\r\n",
        );
        let mut left = Vec::new();
        let mut bodies = Vec::new();
        while let Some(message) = read(&mut stream, &mut left).unwrap() {
            bodies.push((message.words().1.to_owned(), String::from_utf8(message.body).unwrap()));
        }
        let expected = [("/a", "abc"), ("/b", "wxyz!"), ("/c", "")];
        assert_eq!(bodies, expected.map(|(path, body)| (path.to_owned(), body.to_owned())));
        assert!(read(&mut Drip(b"GET /"), &mut Vec::new()).is_err());
    }
}
