//! Exclusive creation: of many writers exactly one wins, and knows it.
//!
//! The server decides, by the condition. What is left is the writer whose answer got lost: it asks again and is told that
//! the object is there, be it its own. So every attempt at one creation carries a token of chance in the object's
//! metadata, and whoever is refused after an attempt with an unknown end looks whose token is there. The bytes would not
//! tell: two writers may write the same.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use rusty_s3::Method;

use super::client::{Ask, Client};
use super::object::{writing, written};
use super::trouble::{Miss, S3Error};

/// Where the token stands.
const WRITER: &str = "x-amz-meta-writer";

/// Creates an object; `false` when there is one that somebody else created.
pub(super) fn create(client: &Client, key: &str, bytes: &[u8]) -> Result<bool, S3Error> {
    let token = token();
    let ask = writing(key, bytes).header("if-none-match", "*").header(WRITER, &token);
    let mut attempts = client.attempts();
    loop {
        let answer = match client.once(&ask) {
            Err(miss) => {
                attempts.wait(miss)?;
                continue;
            }
            Ok(answer) => answer,
        };
        if answer.status != 412 {
            return written(&answer).map(|_| true);
        }
        if attempts.made == 0 {
            return Ok(false);
        }
        if let Some(writer) = whose(client, key)? {
            return Ok(writer == token);
        }
        // It was there a moment ago, and somebody removed it: the name is free again. Should it have been ours, then it was
        // won, and lost, and may be won again.
        attempts.wait(Miss::later("the object is there and is not there"))?;
    }
}

/// Who created the object; `None` where there is none. One that was not created like this was created by nobody of us.
fn whose(client: &Client, key: &str) -> Result<Option<String>, S3Error> {
    let answer = client.ask(&Ask::new(Method::Head, key))?;
    Ok((answer.status != 404).then(|| answer.header(WRITER).unwrap_or_default().to_owned()))
}

/// Tries to create an object that is there, with the bytes that it has. It is trouble when that works.
pub(super) fn probe(client: &Client, key: &str, bytes: &[u8]) -> Result<(), S3Error> {
    let unconditional = |found: String| Err(S3Error::Unconditional { found });
    let ask = writing(key, bytes).header("if-none-match", "*").header(WRITER, "probe");
    match client.ask(&ask) {
        Ok(answer) if answer.status == 412 => Ok(()),
        Ok(answer) => unconditional(format!("it answers {} where it should answer 412", answer.status)),
        Err(S3Error::Refused { status: 501, message, .. }) => unconditional(format!("it answers 501: {message}")),
        Err(error) => Err(error),
    }
}

/// 128 bits of chance: the keys of the standard library's hash tables come from the system's source of it.
fn token() -> String {
    let draw = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", draw(), draw())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn tokens_differ() {
        let tokens: BTreeSet<String> = (0..1000).map(|_| super::token()).collect();
        assert_eq!(tokens.len(), 1000);
    }
}
