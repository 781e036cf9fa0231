//! Facts of CEL's public conformance tests that concern this language, and where it differs.
//! Source: github.com/google/cel-spec, `tests/simple/testdata`; macros run over the lines of an order here, whose
//! quantities are 1, 2 and 3, and numbers are of one kind.

use crate::loyalty::program::condition::read;
use crate::loyalty::program::condition::tests::{World, answer, ask, known};

/// What a case gives.
#[derive(Clone, Copy, Debug)]
pub enum Gives {
    /// This value.
    Is(&'static str),
    /// No answer.
    Error,
    /// Another answer than CEL's.
    Differs(&'static str, &'static str),
    /// A mistake with these words.
    Refused(&'static str),
}

use Gives::{Differs, Error, Is, Refused};

/// Section and case, the expression, and what it gives.
pub const CASES: [(&str, &str, Gives); 186] = [
    ("basic/self_eval_zeroish/self_eval_int_zero", "0", Is("0")),
    ("basic/self_eval_zeroish/self_eval_uint_zero", "0u", Refused("one kind of number")),
    ("basic/self_eval_zeroish/self_eval_double_zero", "0.0", Is("0")),
    ("basic/self_eval_zeroish/self_eval_double_zerowithexp", "0e+0", Refused("without an exponent")),
    ("basic/self_eval_zeroish/self_eval_string_empty", "''", Is("\"\"")),
    ("basic/self_eval_zeroish/self_eval_string_empty_quotes", "\"\"", Is("''")),
    ("basic/self_eval_zeroish/self_eval_string_raw_prefix", "r\"\"", Refused("raw texts")),
    ("basic/self_eval_zeroish/self_eval_bytes_empty", "b\"\"", Refused("bytes")),
    ("basic/self_eval_zeroish/self_eval_bool_false", "false", Is("false")),
    ("basic/self_eval_zeroish/self_eval_null", "null", Refused("`null`")),
    ("basic/self_eval_zeroish/self_eval_empty_list", "[]", Refused("right of `in`")),
    ("basic/self_eval_zeroish/self_eval_empty_map", "{}", Refused("maps")),
    ("basic/self_eval_nonzeroish/self_eval_int_nonzero", "17", Is("17")),
    ("basic/self_eval_nonzeroish/self_eval_int_negative_min", "-9223372036854775808", Is("-9223372036854775808")),
    ("basic/self_eval_nonzeroish/self_eval_double_negative_exp", "-2.3e+1", Refused("without an exponent")),
    ("basic/self_eval_nonzeroish/self_eval_string_excl", "\"!\"", Is("'!'")),
    ("basic/self_eval_nonzeroish/self_eval_string_escape", "'\\''", Is("\"'\"")),
    ("basic/self_eval_nonzeroish/self_eval_map_singleitem", "{\"k\":\"v\"}", Refused("maps")),
    ("basic/self_eval_nonzeroish/self_eval_bool_true", "true", Is("true")),
    ("comparisons/eq_literal/eq_int", "1 == 1", Is("true")),
    ("comparisons/eq_literal/not_eq_int", "-1 == 1", Is("false")),
    ("comparisons/eq_literal/eq_double", "1.0 == 1.0", Is("true")),
    ("comparisons/eq_literal/not_eq_double", "-1.0 == 1.0", Is("false")),
    ("comparisons/eq_literal/not_eq_double_nan", "0.0/0.0 == 0.0/0.0", Differs("false", "error")),
    ("comparisons/eq_literal/eq_string", "'' == \"\"", Is("true")),
    ("comparisons/eq_literal/not_eq_string", "'a' == 'b'", Is("false")),
    ("comparisons/eq_literal/not_eq_string_case", "'abc' == 'ABC'", Is("false")),
    ("comparisons/eq_literal/eq_string_unicode", "'ίσος' == 'ίσος'", Is("true")),
    ("comparisons/eq_literal/not_eq_string_unicode_ascii", "'a' == 'à'", Is("false")),
    ("comparisons/eq_literal/no_string_normalization", "'Am\\u00E9lie' == 'Ame\\u0301lie'", Is("false")),
    ("comparisons/eq_literal/eq_null", "null == null", Refused("`null`")),
    ("comparisons/eq_literal/eq_bool", "true == true", Is("true")),
    ("comparisons/eq_literal/not_eq_bool", "false == true", Is("false")),
    ("comparisons/eq_literal/eq_list_numbers", "[1, 2, 3] == [1, 2, 3]", Refused("right of `in`")),
    ("comparisons/eq_literal/eq_map_onekey", "{'k':'v'} == {\"k\":\"v\"}", Refused("maps")),
    ("comparisons/eq_literal/eq_mixed_types", "1.0 == 1", Is("true")),
    ("comparisons/ne_literal/ne_int", "24 != 42", Is("true")),
    ("comparisons/ne_literal/not_ne_int", "1 != 1", Is("false")),
    ("comparisons/ne_literal/ne_double", "9.0e+3 != 9001.0", Refused("without an exponent")),
    ("comparisons/ne_literal/ne_string", "'abc' != ''", Is("true")),
    ("comparisons/ne_literal/not_ne_string", "'abc' != 'abc'", Is("false")),
    ("comparisons/ne_literal/ne_bool", "false != true", Is("true")),
    ("comparisons/ne_literal/not_ne_bool", "true != true", Is("false")),
    ("comparisons/lt_literal/lt_int", "-1 < 0", Is("true")),
    ("comparisons/lt_literal/not_lt_int", "0 < 0", Is("false")),
    ("comparisons/lt_literal/lt_double", "1.0 < 1.0000001", Is("true")),
    ("comparisons/lt_literal/not_lt_double", "-0.0 < 0.0", Is("false")),
    ("comparisons/lt_literal/lt_string", "'a' < 'b'", Is("true")),
    ("comparisons/lt_literal/lt_string_case", "'Abc' < 'aBC'", Is("true")),
    ("comparisons/lt_literal/lt_string_length", "'abc' < 'abcd'", Is("true")),
    ("comparisons/lt_literal/lt_string_acute", "'a' < 'á'", Is("true")),
    ("comparisons/lt_literal/not_lt_string_empty", "'' < ''", Is("false")),
    ("comparisons/lt_literal/not_lt_string_same", "'abc' < 'abc'", Is("false")),
    ("comparisons/lt_literal/not_lt_string_case_length", "'a' < 'AB'", Is("false")),
    ("comparisons/lt_literal/lt_bool_false_first", "false < true", Is("true")),
    ("comparisons/lt_literal/not_lt_bool_same", "true < true", Is("false")),
    ("comparisons/lt_literal/not_lt_bool_true_first", "true < false", Is("false")),
    ("comparisons/lt_literal/lt_list_unsupported", "[0] < [1]", Refused("right of `in`")),
    ("comparisons/lt_literal/lt_null_unsupported", "null < null", Refused("`null`")),
    ("comparisons/gt_literal/gt_int", "42 > -42", Is("true")),
    ("comparisons/gt_literal/not_gt_int", "0 > 0", Is("false")),
    ("comparisons/gt_literal/not_gt_double", ".99 > 9.9e-1", Refused("without an exponent")),
    ("comparisons/gt_literal/gt_string_case", "'abc' > 'aBc'", Is("true")),
    ("comparisons/gt_literal/gt_string_to_empty", "'A' > ''", Is("true")),
    ("comparisons/gt_literal/not_gt_string_empty_to_empty", "'' > ''", Is("false")),
    ("comparisons/gt_literal/gt_bool_true_false", "true > false", Is("true")),
    ("comparisons/gt_literal/not_gt_bool_false_true", "false > true", Is("false")),
    ("comparisons/gt_literal/not_gt_bool_same", "true > true", Is("false")),
    ("fp_math/fp_math/add_positive_positive", "4.25 + 15.25", Is("19.5")),
    ("fp_math/fp_math/add_positive_negative", "17.75 + (-7.75)", Is("10")),
    ("fp_math/fp_math/add_negative_negative", "-4.125 + (-2.125)", Is("-6.25")),
    ("fp_math/fp_math/sub_positive_positive", "42.0 - 12.0", Is("30")),
    ("fp_math/fp_math/sub_positive_negative", "42.875 - (-22.0)", Is("64.875")),
    ("fp_math/fp_math/sub_negative_negative", "-4.875 - (-0.125)", Is("-4.75")),
    ("fp_math/fp_math/multiply_positive_positive", "42.5 * 0.2", Is("8.5")),
    ("fp_math/fp_math/multiply_positive_negative", "40.75 * (-2.25)", Is("-91.6875")),
    ("fp_math/fp_math/multiply_negative_negative", "-3.0 * (-2.5)", Is("7.5")),
    ("fp_math/fp_math/divide_positive_positive", "0.0625 / 0.002", Is("31.25")),
    ("fp_math/fp_math/divide_positive_negative", "-2.0 / 2.0", Is("-1")),
    ("fp_math/fp_math/divide_negative_negative", "-8.875 / (-0.0625)", Is("142")),
    ("fp_math/fp_math/mod_not_support", "47.5 % 5.5", Differs("error", "3.5")),
    ("fp_math/fp_math/negative", "-(4.5)", Is("-4.5")),
    ("fp_math/fp_math/double_negative", "-(-1.25)", Is("1.25")),
    ("fp_math/fp_math/negative_zero", "-(0.0)", Is("0")),
    ("fp_math/fp_math/divide_zero", "15.75 / 0.0", Differs("inf", "error")),
    ("fp_math/fp_math/multiply_zero", "15.36 * 0.0", Is("0")),
    ("fp_math/fp_math/add_left_identity", "0.0 + 1.75", Is("1.75")),
    ("fp_math/fp_math/add_right_identity", " 2.5 + 0.0", Is("2.5")),
    ("fp_math/fp_math/add_commutative", "7.5 + 1.5 == 1.5 + 7.5", Is("true")),
    ("fp_math/fp_math/add_associative", "5.625 + (15.75 + 2.0) == (5.625 + 15.75) + 2.0", Is("true")),
    ("fp_math/fp_math/mul_left_identity", "1.0 * 45.25", Is("45.25")),
    ("fp_math/fp_math/mul_right_identity", "-25.25 * 1.0", Is("-25.25")),
    ("fp_math/fp_math/mul_commutative", "1.5 * 25.875 == 25.875 * 1.5", Is("true")),
    ("fp_math/fp_math/mul_associative", "1.5 * (23.625 * 0.75) == (1.5 * 23.625) * 0.75", Is("true")),
    ("fp_math/fp_math/add_mul_distribute", "5.75 * (1.5 + 2.5)  == 5.75 * 1.5 + 5.75 * 2.5", Is("true")),
    ("fp_math/fp_math/fp_overflow_positive", "2.0 * 8.988466e+307 ", Refused("without an exponent")),
    ("integer_math/int64_math/add_positive_positive", "42 + 2", Is("44")),
    ("integer_math/int64_math/add_positive_negative", "42 + (-2)", Is("40")),
    ("integer_math/int64_math/add_negative_negative", "-42 + (-2)", Is("-44")),
    ("integer_math/int64_math/sub_positive_positive", "42 - 2", Is("40")),
    ("integer_math/int64_math/sub_positive_negative", "42 - (-2)", Is("44")),
    ("integer_math/int64_math/sub_negative_negative", "-42 - (-2)", Is("-40")),
    ("integer_math/int64_math/multiply_positive_positive", "42 * 2", Is("84")),
    ("integer_math/int64_math/multiply_positive_negative", "42 * (-2)", Is("-84")),
    ("integer_math/int64_math/multiply_negative_negative", "-42 * (-2)", Is("84")),
    ("integer_math/int64_math/divide_positive_positive", "42 / 2", Is("21")),
    ("integer_math/int64_math/divide_positive_negative", "-42 / 2", Is("-21")),
    ("integer_math/int64_math/divide_negative_negative", "-42 / (-2)", Is("21")),
    ("integer_math/int64_math/mod_positive_positive", "42 % 5", Is("2")),
    ("integer_math/int64_math/mod_positive_negative", "42 % (-5)", Is("2")),
    ("integer_math/int64_math/mod_negative_negative", "-42 % (-5)", Is("-2")),
    ("integer_math/int64_math/unary_minus_pos", "-(42)", Is("-42")),
    ("integer_math/int64_math/unary_minus_neg", "-(-42)", Is("42")),
    ("integer_math/int64_math/mod_zero", "42 % 0", Error),
    ("integer_math/int64_math/divide_zero", "15 / 0", Error),
    ("integer_math/int64_math/multiply_zero", "15 * 0", Is("0")),
    ("integer_math/uint64_math/add", "42u + 2u", Refused("one kind of number")),
    ("lists/concatenation/list_append", "[0, 1, 2] + [3, 4, 5] == [0, 1, 2, 3, 4, 5]", Refused("right of `in`")),
    ("lists/index/zero_based", "[7, 8, 9][0]", Refused("name of an attribute")),
    ("lists/in/empty", "7 in []", Is("false")),
    ("lists/in/first", "'alpha' in ['alpha', 'beta', 'gamma']", Is("true")),
    ("lists/in/middle", "3 in [5, 4, 3, 2, 1]", Is("true")),
    ("lists/in/missing", "'hawaiian' in ['meat', 'veggie', 'margarita', 'cheese']", Is("false")),
    ("lists/size/list", "size([1, 2, 3])", Refused("no function")),
    ("logic/conditional/true_case", "true ? 1 : 2", Is("1")),
    ("logic/conditional/false_case", "false ? 'foo' : 'bar'", Is("'bar'")),
    ("logic/conditional/error_case", "2 / 0 > 4 ? 'baz' : 'quux'", Error),
    ("logic/conditional/mixed_type", "true ? 'cows' : 17", Refused("both are to be one")),
    ("logic/conditional/bad_type", "'cows' ? false : 17", Refused("true or false is wanted")),
    ("logic/AND/all_true", "true && true", Is("true")),
    ("logic/AND/all_false", "false && false", Is("false")),
    ("logic/AND/false_left", "false && true", Is("false")),
    ("logic/AND/false_right", "true && false", Is("false")),
    ("logic/AND/short_circuit_type_left", "false && 32", Refused("true or false is wanted")),
    ("logic/AND/short_circuit_type_right", "'horses' && false", Refused("true or false is wanted")),
    ("logic/AND/short_circuit_error_left", "false && (2 / 0 > 3 ? false : true)", Is("false")),
    ("logic/AND/short_circuit_error_right", "(2 / 0 > 3 ? false : true) && false", Is("false")),
    ("logic/AND/error_right", "true && 1/0 != 0", Error),
    ("logic/AND/error_left", "1/0 != 0 && true", Error),
    ("logic/AND/no_overload", "'less filling' && 'tastes great'", Refused("true or false is wanted")),
    ("logic/OR/all_true", "true || true", Is("true")),
    ("logic/OR/all_false", "false || false", Is("false")),
    ("logic/OR/false_left", "false || true", Is("true")),
    ("logic/OR/false_right", "true || false", Is("true")),
    ("logic/OR/short_circuit_type_left", "true || 32", Refused("true or false is wanted")),
    ("logic/OR/short_circuit_error_left", "true || (2 / 0 > 3 ? false : true)", Is("true")),
    ("logic/OR/short_circuit_error_right", "(2 / 0 > 3 ? false : true) || true", Is("true")),
    ("logic/OR/error_right", "false || 1/0 != 0", Error),
    ("logic/OR/error_left", "1/0 != 0 || false", Error),
    ("logic/NOT/not_true", "!true", Is("false")),
    ("logic/NOT/not_false", "!false", Is("true")),
    ("macros/exists/list_elem_all_true", "order.lines.exists(e, e.quantity > 0)", Is("true")),
    ("macros/exists/list_elem_some_true", "order.lines.exists(e, e.quantity == 2)", Is("true")),
    ("macros/exists/list_elem_none_true", "order.lines.exists(e, e.quantity > 3)", Is("false")),
    ("macros/exists/list_elem_exists_error", "order.lines.exists(e, e.quantity / 0 == 17)", Error),
    ("macros/all/list_elem_all_true", "order.lines.all(e, e.quantity > 0)", Is("true")),
    ("macros/all/list_elem_some_true", "order.lines.all(e, e.quantity == 2)", Is("false")),
    ("macros/all/list_elem_none_true", "order.lines.all(e, e.quantity == 17)", Is("false")),
    ("macros/all/list_elem_error_shortcircuit", "order.lines.all(e, 6 / (2 - e.quantity) == 6)", Is("false")),
    ("macros/all/list_elem_error_exhaustive", "order.lines.all(e, e.quantity / 0 != 17)", Error),
    ("macros/exists_one/list_one_true", "order.lines.exists_one(a, a.quantity == 7)", Refused("no function")),
    ("macros/map/list_one", "order.lines.map(n, n.quantity * n.quantity)", Refused("no function")),
    ("macros/filter/list_one_true", "order.lines.filter(n, n.quantity == 2)", Refused("no function")),
    ("parse/string_literals/triple_single_quoted", "'''hello'''", Refused("not in three")),
    ("string/starts_with/basic_true", "'foobar'.startsWith('foo')", Is("true")),
    ("string/starts_with/basic_false", "'foobar'.startsWith('bar')", Is("false")),
    ("string/starts_with/empty_target", "''.startsWith('foo')", Is("false")),
    ("string/starts_with/empty_arg", "'foobar'.startsWith('')", Is("true")),
    ("string/starts_with/empty_empty", "''.startsWith('')", Is("true")),
    ("string/starts_with/unicode", "'завтра'.startsWith('за')", Is("true")),
    ("string/ends_with/basic_true", "'foobar'.endsWith('bar')", Is("true")),
    ("string/ends_with/basic_false", "'foobar'.endsWith('foo')", Is("false")),
    ("string/ends_with/empty_target", "''.endsWith('foo')", Is("false")),
    ("string/ends_with/empty_arg", "'foobar'.endsWith('')", Is("true")),
    ("string/ends_with/unicode", "'forté'.endsWith('té')", Is("true")),
    ("string/matches/basic", "'hubba'.matches('ubb')", Refused("no function")),
    ("string/concatentation/concat_true", "'he' + 'llo'", Is("'hello'")),
    ("string/concatentation/concat_with_spaces", "'hello' + ' ' == 'hello'", Is("false")),
    ("string/concatentation/concat_empty_string_beginning", "'' + 'abc'", Is("'abc'")),
    ("string/concatentation/concat_empty_with_empty", "'' + ''", Is("''")),
    ("string/concatentation/unicode_unicode", "'¢' + 'ÿ' + 'Ȁ'", Is("'¢ÿȀ'")),
    ("string/contains/contains_true", "'hello'.contains('he')", Is("true")),
    ("string/contains/contains_empty", "'hello'.contains('')", Is("true")),
    ("string/contains/contains_false", "'hello'.contains('ol')", Is("false")),
    ("string/contains/contains_multiple", "'abababc'.contains('ababc')", Is("true")),
    ("string/contains/contains_unicode", "'Straße'.contains('aß')", Is("true")),
];

/// What an expression gives here: `error`, or whether it is this value.
fn gives(expression: &str, value: &str) -> bool {
    let world = World::new();
    // Only flags are conditions: other values are compared.
    let whole = read(expression, &world.scope()).ok().filter(|_| matches!(value, "true" | "false" | "error"));
    let compared = || {
        let other = if matches!(value, "error") { expression } else { value };
        read(&format!("({expression}) == ({other})"), &world.scope()).unwrap()
    };
    let answer = answer(&whole.unwrap_or_else(compared));
    if value == "error" { answer.is_err() } else { answer == Ok(value != "false") }
}

#[test]
fn it_is_cel_but_for_what_is_documented() {
    for (name, expression, wanted) in CASES {
        match wanted {
            Is(value) | Differs(_, value) => assert!(gives(expression, value), "{name}: {expression}"),
            Error => assert!(gives(expression, "error"), "{name}: {expression}"),
            Refused(words) => {
                let mistakes = read(expression, &World::new().scope()).unwrap_err();
                assert!(mistakes.iter().any(|m| m.message.contains(words)), "{name}: {mistakes:?}");
            }
        }
    }
}

#[test]
fn macros_over_no_lines_are_as_those_over_empty_lists() {
    // macros/exists/list_empty and macros/all/list_empty
    for (text, wanted) in
        [("order.lines.exists(e, e.quantity == 2)", false), ("order.lines.all(e, e.amount > 0)", true)]
    {
        let condition = read(text, &World::new().scope()).unwrap();
        assert_eq!(ask(&known(), true, |facts, _| condition.holds(facts, None)), Ok(wanted));
    }
}

#[test]
fn what_every_implementation_reads_is_read() {
    let many = |part: &str, times: usize| part.repeat(times);
    for (name, text, wanted) in [
        ("parse/nest/parens", format!("{}7{} == 7", many("(", 32), many(")", 32)), true),
        ("parse/repeat/conditional", format!("{}false", many("true ? true : ", 24)), true),
        ("parse/repeat/or", format!("{}true", many("false || ", 32)), true),
        ("parse/repeat/and", format!("{}false", many("true && ", 32)), false),
        ("parse/repeat/add_sub", format!("{}3 == 3", many("3 - 3 + ", 12)), true),
        ("parse/repeat/mul_div", format!("{}4 == 4", many("4 * 4 / ", 12)), true),
        ("parse/repeat/not", format!("{}true", many("!", 32)), true),
        // One level is the comparison's.
        ("parse/repeat/unary_neg", format!("{}19 == 19", many("-", 30)), true),
        ("parse/repeat/list_literal", format!("17 in [{}17]", many("0, ", 31)), true),
    ] {
        let condition = read(&text, &World::new().scope()).unwrap_or_else(|e| panic!("{name}: {e:?}"));
        assert_eq!(answer(&condition), Ok(wanted), "{name}");
    }
}
