//! The table's columns.

/// The schema of an exported table, in Parquet's own notation.
///
/// * A column is null where the record has no such member. `symbols`, `imports` and `calls` are null where the
///   processor does not report them, and empty where there are none.
/// * `path_bytes` are the bytes of a path that is not UTF-8; `mtime` is in microseconds, UTC, since not every reader
///   knows nanoseconds.
/// * `confidence` to `notes` are the members of an AST processor's result. `async` and `static` are false, and
///   `kinds_omitted` is 0, where the result does not name them. `result_json` is the result of any other processor,
///   as it is in the record.
pub const PARQUET_SCHEMA: &str = "
message record {
  required binary root (UTF8);
  required binary path (UTF8);
  optional binary path_bytes;
  required binary status (UTF8);
  optional int64 size;
  optional int64 mtime (TIMESTAMP(MICROS,true));
  optional binary digest (UTF8);
  optional binary processor (UTF8);
  optional int32 attempts;
  required int64 committed_tick;
  optional binary error_class (UTF8);
  optional binary error_message (UTF8);
  optional int64 error_line;
  optional int64 error_column;
  optional binary dialect (UTF8);
  optional double confidence;
  optional binary language (UTF8);
  optional int64 values;
  optional int64 depth;
  optional int64 nodes;
  optional binary kind_field (UTF8);
  optional int64 lines;
  optional group kinds (LIST) {
    repeated group list {
      required group element {
        required binary kind (UTF8);
        required int64 count;
      }
    }
  }
  optional int64 kinds_omitted;
  optional group symbols (LIST) {
    repeated group list {
      required group element {
        required binary kind (UTF8);
        required binary name (UTF8);
        required binary qualified_name (UTF8);
        optional int64 line;
        optional int64 end_line;
        optional binary visibility (UTF8);
        required boolean async;
        required boolean static;
        optional int64 complexity;
      }
    }
  }
  optional group imports (LIST) {
    repeated group list {
      required group element {
        required binary module (UTF8);
        required group names (LIST) {
          repeated group list {
            required group element {
              required binary name (UTF8);
              optional binary alias (UTF8);
            }
          }
        }
        optional binary alias (UTF8);
        optional int64 line;
      }
    }
  }
  optional group calls (LIST) {
    repeated group list {
      required group element {
        optional binary caller (UTF8);
        required binary callee (UTF8);
        required int64 count;
      }
    }
  }
  optional int64 symbols_total;
  optional int64 imports_total;
  optional int64 calls_total;
  optional group notes {
    optional boolean bom;
    optional int64 duplicate_keys;
    optional int64 non_finite_numbers;
    optional int64 numbers_beyond_f64;
    optional int64 lone_surrogates;
    optional binary top_level (UTF8);
    optional binary grammar (UTF8);
  }
  optional binary result_json (UTF8);
}
";
