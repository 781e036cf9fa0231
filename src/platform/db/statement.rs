//! Statements with an identity: prepared once a connection, pipelined when several run on one shared connection.

/// Declares a statement as a struct. The text has one `?` for each field, in order; the result's SQL type comes last.
///
/// Unlike `diesel::sql_query` it is prepared once a connection and then found by its type.
#[macro_export]
macro_rules! statement {
    (
        $(#[$doc:meta])*
        $name:ident { $($field:ident : $rust:ty => $sql:ty),* $(,)? } -> $out:ty,
        $text:expr
    ) => {
        $(#[$doc])*
        #[derive(Debug, diesel::query_builder::QueryId)]
        pub struct $name {
            $(
                #[doc = "A parameter, in the order of the text."]
                pub $field: $rust,
            )*
        }

        impl diesel::query_builder::QueryFragment<diesel::pg::Pg> for $name {
            fn walk_ast<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, diesel::pg::Pg>,
            ) -> diesel::QueryResult<()> {
                let text: &'static str = $text;
                let mut pieces = text.split('?');
                out.push_sql(pieces.next().unwrap_or_default());
                $(
                    out.push_bind_param::<$sql, _>(&self.$field)?;
                    out.push_sql(pieces.next().unwrap_or_default());
                )*
                Ok(())
            }
        }

        impl diesel::query_builder::Query for $name {
            type SqlType = $out;
        }
    };
}
