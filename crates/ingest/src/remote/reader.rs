//! A remote file as one stream of bytes.

use std::fmt;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;

use ureq::http::{Response, StatusCode, header};
use ureq::{Body, BodyReader};

use super::client::{Client, Patience, Refusal, RemoteFile, Watch, version};
use super::hosts::Connection;
use super::{RemoteError, Trouble};

/// Reads a remote file, or a range of it. A connection that breaks is opened again at the byte reached; it
/// has to be the same version of the file.
pub struct RemoteReader {
    client: Client,
    file: RemoteFile,
    watch: Arc<dyn Watch>,
    offset: u64,
    /// Where the range ends; without it, where the file does.
    end: Option<u64>,
    /// What the file's description says of its length, which an answer may contradict.
    described: Option<u64>,
    /// Where an answer ended too early for that length; what comes there the second time is believed.
    doubted: Option<u64>,
    patience: Patience,
    /// What comes, and the connection that it comes by.
    body: Option<(BodyReader<'static>, Connection)>,
}

impl fmt::Debug for RemoteReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteReader").field("file", &self.file).field("offset", &self.offset).finish_non_exhaustive()
    }
}

/// What an answer means for the stream.
enum Opened {
    /// The bytes from the offset on.
    Body(Box<(BodyReader<'static>, Connection)>),
    /// There are no bytes behind the offset.
    End,
}

impl RemoteReader {
    /// Nothing is asked before the first read.
    pub fn new(client: Client, file: RemoteFile, watch: Arc<dyn Watch>) -> Self {
        let patience = client.patience();
        let described = file.bytes;
        Self { client, file, watch, offset: 0, end: None, described, doubted: None, patience, body: None }
    }

    /// Only these bytes of the file.
    pub fn range(client: Client, file: RemoteFile, range: Range<u64>, watch: Arc<dyn Watch>) -> Self {
        Self { offset: range.start, end: Some(range.end), ..Self::new(client, file, watch) }
    }

    fn open(&mut self) -> Result<Opened, RemoteError> {
        loop {
            match self.client.get(&self.file.url, self.offset, self.end, self.watch.as_ref()) {
                Ok((response, connection)) => {
                    if let Some(opened) = self.opened(response, connection)? {
                        return Ok(opened);
                    }
                }
                Err(refusal) => self.wait(refusal)?,
            }
        }
    }

    fn wait(&mut self, refusal: Refusal) -> Result<(), RemoteError> {
        self.patience.after(&self.client, &self.file.url, refusal, self.watch.as_ref())
    }

    /// Looks at an answer; `None` when it has to be asked for again.
    fn opened(&mut self, response: Response<Body>, connection: Connection) -> Result<Option<Opened>, RemoteError> {
        if response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
            // A server that had promised more bytes than there are lands here: the file ends.
            return Ok(Some(Opened::End));
        }
        if let (Some(was), Some(is)) = (&self.file.version, version(response.headers()))
            && *was != is
        {
            let trouble = Trouble::Changed { was: was.clone(), is };
            return Err(RemoteError::new(&self.file.url, trouble));
        }
        self.file.version = self.file.version.take().or_else(|| version(response.headers()));
        // A server that knows no ranges answers with the whole file.
        let starts_at = if response.status() == StatusCode::PARTIAL_CONTENT { self.offset } else { 0 };
        if let Some(length) = response.headers().get(header::CONTENT_LENGTH)
            && let Some(length) = length.to_str().ok().and_then(|length| length.parse::<u64>().ok())
        {
            self.file.bytes = Some(starts_at + length);
        }
        let mut body = response.into_body().into_reader();
        let skipped = self.offset - starts_at;
        match io::copy(&mut body.by_ref().take(skipped), &mut io::sink()) {
            Ok(copied) if copied == skipped => Ok(Some(Opened::Body(Box::new((body, connection))))),
            Ok(_) => Ok(Some(Opened::End)),
            Err(error) => {
                // Nothing is held while waiting.
                drop((body, connection));
                self.wait(Refusal::broken(error)).map(|()| None)
            }
        }
    }

    /// Whether there have to be more bytes: this answer promised them, or the range or the file's description does. Of those
    /// two the server is asked again, once: it may be wrong about its file as well as about its answer.
    fn ends_too_early(&mut self) -> bool {
        let is_behind = |bytes: Option<u64>| bytes.is_some_and(|bytes| self.offset < bytes);
        if is_behind(self.file.bytes) {
            return true;
        }
        let is_doubtful = is_behind(self.end.or(self.described)) && self.doubted != Some(self.offset);
        if is_doubtful {
            self.doubted = Some(self.offset);
        }
        is_doubtful
    }

    /// There are no more bytes; later reads do not ask again.
    fn ended(&mut self) -> usize {
        self.body = None;
        self.file.bytes = Some(self.offset);
        self.end = Some(self.offset);
        0
    }

    fn read_on(&mut self, buffer: &mut [u8]) -> Result<usize, RemoteError> {
        let left = self.end.map_or(u64::MAX, |end| end.saturating_sub(self.offset));
        if left == 0 {
            self.body = None;
            return Ok(0);
        }
        let wish = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let buffer = &mut buffer[..wish];
        loop {
            if self.body.is_none() {
                match self.open()? {
                    Opened::Body(body) => self.body = Some(*body),
                    Opened::End => return Ok(self.ended()),
                }
            }
            let Some((body, _)) = &mut self.body else { continue };
            let refusal = match body.read(buffer) {
                Ok(0) if self.ends_too_early() => Refusal::broken(format!("it ended after {} bytes", self.offset)),
                Ok(0) => return Ok(self.ended()),
                Ok(count) => {
                    self.offset += count as u64;
                    self.patience = self.client.patience();
                    return Ok(count);
                }
                Err(error) => Refusal::broken(error),
            };
            self.body = None;
            self.wait(refusal)?;
        }
    }
}

impl Read for RemoteReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        self.read_on(buffer).map_err(io::Error::other)
    }
}
