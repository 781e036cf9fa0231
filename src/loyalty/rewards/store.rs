//! Vouchers as they are found: by code, and by member; writes nothing.

use diesel::sql_types::{Array, BigInt, SmallInt, Text, Timestamptz, Uuid};
use diesel::{OptionalExtension, QueryResult};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid as Id;

use crate::kernel::clock::Instant;
use crate::kernel::id::{LaneCount, MemberId};
use crate::kernel::scope::ProgramScope;
use crate::loyalty::ledger::accounts::VOUCHER_KIND;
use crate::loyalty::ledger::load::LoadError;
use crate::loyalty::ledger::posting::{PostingKind, PostingRow, Reference};
use crate::loyalty::ledger::reads::PostingSql;
use crate::loyalty::ledger::rows::StoredPosting;
use crate::loyalty::rewards::code::VoucherCode;
use crate::posting_columns;
use crate::statement;

statement! {
    /// Whose a voucher is, and the reference of the redemption that issued it.
    FindVoucher { program: Id => Uuid, kind: i16 => SmallInt, key: String => Text } -> (Uuid, Text),
    "SELECT d.member_id, p.reference FROM directory AS d JOIN postings AS p \
     ON p.lane = d.lane AND p.member_id = d.member_id AND p.seq = d.seq \
     WHERE d.program_id = ? AND d.kind = ? AND d.value = ?"
}

statement! {
    /// Redemptions of some members, newest first, before a place.
    ListRedemptions {
        lanes: Vec<i16> => Array<SmallInt>,
        members: Vec<Id> => Array<Uuid>,
        kind: i16 => SmallInt,
        recorded_at: Instant => Timestamptz,
        member: Id => Uuid,
        seq: i64 => BigInt,
        limit: i64 => BigInt,
    } -> PostingSql,
    concat!(
        "SELECT ",
        posting_columns!(),
        " FROM unnest(?, ?) AS u (lane, member_id) CROSS JOIN LATERAL (\
         SELECT * FROM postings WHERE lane = u.lane AND member_id = u.member_id OFFSET 0) AS p \
         WHERE p.kind = ? AND (p.recorded_at, p.member_id, p.seq) < (?, ?, ?) \
         ORDER BY p.recorded_at DESC, p.member_id DESC, p.seq DESC LIMIT ?"
    )
}

statement! {
    /// What became of vouchers: the postings of their members that are named after a redemption.
    ListAfter {
        lanes: Vec<i16> => Array<SmallInt>,
        members: Vec<Id> => Array<Uuid>,
        redemptions: Vec<String> => Array<Text>,
    } -> PostingSql,
    concat!(
        "SELECT ",
        posting_columns!(),
        " FROM unnest(?, ?) AS u (lane, member_id) CROSS JOIN LATERAL (\
         SELECT * FROM postings WHERE lane = u.lane AND member_id = u.member_id OFFSET 0) AS p \
         WHERE strpos(p.reference, '/') > 0 AND split_part(p.reference, '/', 1) = ANY (?) \
         ORDER BY p.member_id, p.seq"
    )
}

/// A place in a list of vouchers: when the redemption was written down, whose it is, and its position.
pub type Place = (Instant, Id, i64);

/// Whose a voucher of the programme is, and the redemption that issued it.
///
/// # Errors
/// When the database fails.
pub async fn find_voucher(
    conn: &AsyncPgConnection,
    scope: &ProgramScope,
    code: &VoucherCode,
) -> QueryResult<Option<(MemberId, Reference)>> {
    let find = FindVoucher { program: scope.program().0, kind: VOUCHER_KIND, key: code.key().to_owned() };
    let found: Option<(Id, String)> = find.get_result(&mut &*conn).await.optional()?;
    Ok(found.map(|(member, reference)| (MemberId(member), Reference::stored(reference))))
}

/// Redemptions of members before a place, newest first, and what became of their vouchers. Who calls has found the accounts
/// in the programme.
///
/// # Errors
/// When the database fails, or a row was changed by hand.
pub async fn list_vouchers(
    conn: &AsyncPgConnection,
    scope: &ProgramScope,
    (members, before): (&[MemberId], Option<Place>),
    limit: i64,
    lanes: LaneCount,
) -> Result<(Vec<PostingRow>, Vec<PostingRow>), LoadError> {
    let lane_of = || members.iter().map(|m| m.lane(lanes).0).collect::<Vec<_>>();
    let ids = || members.iter().map(|m| m.0).collect::<Vec<_>>();
    let (recorded_at, member, seq) = before.unwrap_or((Instant::MAX_UTC, Id::max(), i64::MAX));
    let kind = PostingKind::Redeem.number();
    let list = ListRedemptions { lanes: lane_of(), members: ids(), kind, recorded_at, member, seq, limit };
    let rows: Vec<StoredPosting> = list.load(&mut &*conn).await?;
    let read = |rows: Vec<StoredPosting>| -> Result<Vec<PostingRow>, LoadError> {
        rows.into_iter().map(|row| Ok(row.read(scope.program())?)).collect()
    };
    let redeemed = read(rows)?;
    let redemptions = redeemed.iter().map(|row| row.reference.as_str().to_owned()).collect();
    let after: Vec<StoredPosting> =
        ListAfter { lanes: lane_of(), members: ids(), redemptions }.load(&mut &*conn).await?;
    Ok((redeemed, read(after)?))
}
