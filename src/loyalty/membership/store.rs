//! Members as they are read: by id, and by what they are known.

use chrono::NaiveDate;
use diesel::sql_types::{Array, BigInt, Date, Nullable, SmallInt, Text, Uuid};
use diesel::{OptionalExtension, QueryResult, Queryable};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid as Id;

use crate::kernel::id::{LaneCount, MemberId};
use crate::kernel::scope::ProgramScope;
use crate::loyalty::ledger::posting::{PostingKind, Reference};
use crate::loyalty::members::model::{Identity, Profile};
use crate::loyalty::membership::profile_in::Named;
use crate::statement;

statement! {
    /// A member of a programme with its profile.
    FindMember { lane: i16 => SmallInt, member: Id => Uuid, program: Id => Uuid } -> (
        Uuid, SmallInt, Nullable<Uuid>, Date, Nullable<Text>, Nullable<Text>, Nullable<Text>, Nullable<Text>,
        Nullable<Text>, Nullable<Date>, Nullable<Text>, Nullable<Text>, Array<Text>,
    ),
    "SELECT a.member_id, a.status, a.merged_into, a.enrolled_on, m.external_id, m.email, m.phone, m.card, m.name, m.birthday, \
     m.locale, m.attributes, ARRAY(SELECT c.code FROM program_codes AS c WHERE c.program_id = a.program_id AND c.kind = 3 \
     AND (a.segments >> c.slot & 1) = 1 ORDER BY c.slot) FROM accounts AS a LEFT JOIN members AS m ON m.lane = a.lane AND m.member_id = a.member_id \
     WHERE a.lane = ? AND a.member_id = ? AND a.program_id = ?"
}

statement! {
    /// Who owns an identity.
    FindOwner { program: Id => Uuid, kind: i16 => SmallInt, value: String => Text } -> Uuid,
    "SELECT member_id FROM directory WHERE program_id = ? AND kind = ? AND value = ?"
}

statement! {
    /// Which references of a programme were used, and by whom.
    FindReferences { program: Id => Uuid, values: Vec<String> => Array<Text> } -> (Text, Uuid, BigInt),
    "SELECT value, member_id, seq FROM directory WHERE program_id = ? AND kind = 1 AND value = ANY (?)"
}

statement! {
    /// Which members were merged into some.
    ListMerged { lanes: Vec<i16> => Array<SmallInt>, members: Vec<Id> => Array<Uuid>, kind: i16 => SmallInt } -> Text,
    "SELECT coalesce(substring(p.document FROM '\"from\":\"([^\"]*)\"'), '') FROM unnest(?, ?) AS u (lane, member_id) CROSS JOIN LATERAL (\
     SELECT * FROM postings WHERE lane = u.lane AND member_id = u.member_id OFFSET 0) AS p WHERE p.kind = ?"
}

/// A member as stored.
#[derive(Clone, Debug)]
pub struct Member {
    /// The id.
    pub id: MemberId,
    /// Whether the member takes part.
    pub suspended: bool,
    /// As whom the member goes on, if it was merged.
    pub merged_into: Option<MemberId>,
    /// The programme-local day of the enrolment.
    pub enrolled_on: NaiveDate,
    /// The lists that the member is in.
    pub segments: Vec<String>,
    /// What is known of the member.
    pub profile: Profile,
}

#[derive(Queryable)]
struct MemberRow {
    member_id: Id,
    status: i16,
    merged_into: Option<Id>,
    enrolled_on: NaiveDate,
    external_id: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    card: Option<String>,
    name: Option<String>,
    birthday: Option<NaiveDate>,
    locale: Option<String>,
    attributes: Option<String>,
    segments: Vec<String>,
}

/// A member by id; none when it is of another programme.
///
/// # Errors
/// When the database fails.
pub async fn find_member(
    conn: &AsyncPgConnection,
    scope: &ProgramScope,
    member: MemberId,
    lanes: LaneCount,
) -> QueryResult<Option<Member>> {
    let find = FindMember { lane: member.lane(lanes).0, member: member.0, program: scope.program().0 };
    let row: Option<MemberRow> = find.get_result(&mut &*conn).await.optional()?;
    Ok(row.map(|row| Member {
        id: MemberId(row.member_id),
        suspended: row.status == 1,
        merged_into: row.merged_into.map(MemberId),
        enrolled_on: row.enrolled_on,
        segments: row.segments,
        profile: Profile {
            external_id: row.external_id,
            email: row.email,
            phone: row.phone,
            card: row.card,
            name: row.name,
            birthday: row.birthday,
            locale: row.locale,
            attributes: row.attributes.and_then(|a| serde_json::from_str(&a).ok()).unwrap_or_default(),
        },
    }))
}

/// Who owns an identity of the programme.
///
/// # Errors
/// When the database fails.
pub async fn find_owner(
    conn: &AsyncPgConnection,
    scope: &ProgramScope,
    identity: &Identity,
) -> QueryResult<Option<MemberId>> {
    let (kind, value) = (identity.kind.number(), identity.value.clone());
    let find = FindOwner { program: scope.program().0, kind, value };
    let owner: Option<Id> = find.get_result(&mut &*conn).await.optional()?;
    Ok(owner.map(MemberId))
}

/// Whom a command names, and by which identity. What was done before is answered by who did it, whoever owns the name now.
///
/// # Errors
/// When the database fails.
pub async fn find_named(
    conn: &AsyncPgConnection,
    scope: &ProgramScope,
    named: Named,
    reference: &Reference,
) -> QueryResult<Option<(Option<Identity>, MemberId)>> {
    let identity = match named {
        Named::Id(member) => return Ok(Some((None, MemberId(member)))),
        Named::By(identity) => identity,
    };
    match find_owner(conn, scope, &identity).await? {
        Some(member) => Ok(Some((Some(identity), member))),
        None => Ok(find_reference(conn, scope, reference.as_str()).await?.map(|(member, _)| (None, member))),
    }
}

/// Who used a reference of the programme.
///
/// # Errors
/// When the database fails.
pub async fn find_reference(
    conn: &AsyncPgConnection,
    scope: &ProgramScope,
    reference: &str,
) -> QueryResult<Option<(MemberId, i64)>> {
    let find = FindReferences { program: scope.program().0, values: vec![reference.to_owned()] };
    let found: Option<(String, Id, i64)> = find.get_result(&mut &*conn).await.optional()?;
    Ok(found.map(|(_, member, seq)| (MemberId(member), seq)))
}

/// A member with all who were merged into it. Who calls has found the account in the programme.
///
/// # Errors
/// When the database fails.
pub async fn with_merged(conn: &AsyncPgConnection, member: MemberId, lanes: LaneCount) -> QueryResult<Vec<MemberId>> {
    let (mut all, mut new) = (vec![member], vec![member]);
    while !new.is_empty() {
        let list = ListMerged {
            lanes: new.iter().map(|m| m.lane(lanes).0).collect(),
            members: new.iter().map(|m| m.0).collect(),
            kind: PostingKind::MergeIn.number(),
        };
        let merged: Vec<String> = list.load(&mut &*conn).await?;
        new = merged.iter().filter_map(|id| id.parse().ok()).map(MemberId).filter(|m| !all.contains(m)).collect();
        all.extend(&new);
    }
    Ok(all)
}
