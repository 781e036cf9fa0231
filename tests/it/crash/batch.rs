//! Commands on their way: one in a request, or orders by the batch, whose answer may break off after any line.

use std::sync::Arc;

use reqwest::Response;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;

use super::call::{ANSWER, Answer, Call};
use super::kind::Kind;
use crate::harness::{Client, Reply};

/// Sends one command, or the items of a batch: what each of them was answered before it broke off, if anything.
pub async fn send(calls: &[Arc<Call>], client: &Client) -> Vec<Option<Answer>> {
    match calls {
        [call] if call.kind != Kind::Item => vec![call.send(client).await.map(Answer::of)],
        items => send_items(items, client).await,
    }
}

async fn send_items(items: &[Arc<Call>], client: &Client) -> Vec<Option<Answer>> {
    let Some(first) = items.first() else { return Vec::new() };
    let lines: String = items.iter().map(|item| format!("{}\n", item.body)).collect();
    let request =
        client.request(first.method.clone(), &first.path).header(CONTENT_TYPE, "application/x-ndjson").body(lines);
    let Ok(response) = request.timeout(ANSWER).send().await else { return vec![None; items.len()] };
    if response.status() != 200 {
        // No line was read, or nobody knows: what it says is said to each.
        let told = Reply::read(response).await.ok().map(Answer::of);
        return vec![told; items.len()];
    }
    let (text, ended) = read(response).await;
    let lines: Vec<&str> = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')).collect();
    if lines.len() > items.len() || (ended && lines.len() < items.len()) {
        return vec![Some(Answer::unheard_of(&text)); items.len()];
    }
    let told = (1..).zip(items).zip(&lines).map(|((number, item), line)| Some(of_line(number, item, line)));
    let mut told: Vec<Option<Answer>> = told.collect();
    told.resize(items.len(), None);
    told
}

/// As much of an answer as comes, and whether that is all of it.
async fn read(mut response: Response) -> (String, bool) {
    let mut bytes = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => return (String::from_utf8(bytes).unwrap(), true),
            // A line that is not whole is thrown away, and with it half a character.
            Err(_) => return (String::from_utf8_lossy(&bytes).into_owned(), false),
        }
    }
}

/// What a line says of its item: the receipt as it came, or the problem.
fn of_line(number: u64, item: &Call, line: &str) -> Answer {
    let said: Value = serde_json::from_str(line).unwrap_or_default();
    let document = ["\"receipt\":", "\"problem\":"].iter().find_map(|name| Some(line.split_once(name)?.1));
    let text = document.and_then(|document| document.strip_suffix('}')).unwrap_or_default();
    let json: Value = serde_json::from_str(text).unwrap_or_default();
    let status = said["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or_default();
    let code = match status {
        201 => "settled",
        200 => "replayed",
        _ => json["code"].as_str().unwrap_or_default(),
    };
    if said["line"] != number || said["reference"] != item.body["reference"] || said["code"] != code {
        return Answer::unheard_of(line);
    }
    // A line has no header that says when: that it may be sent again is all.
    Answer { status, replayed: status == 200, says_when: true, text: text.to_owned(), json }
}
