// Rows of Parquet files through Arrow's C++ reader, behind a few C functions that Allophone loads at run time.
//
// Arrow's headers and libraries come in the pyarrow wheel, and its interface is C++: this one file is compiled against them by
// Tools/setup/arrow.sh. The other side is Sources/Datasets/Parquet/ParquetLibrary.swift; a change here that it would not
// understand raises the version.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>

namespace {

constexpr int kVersion = 1;
// What a batch should hold: enough that the cost of a batch does not matter, little enough for many readers.
constexpr int64_t kBatchBytes = 4 << 20;
constexpr int64_t kBatchRows = 4096;
// A page states its length before it is read; no honest one is of this size.
constexpr int64_t kMemoryLimit = int64_t{1} << 30;

enum Kind { kOther = 0, kScalar = 1, kBytes = 2, kBytesAndPath = 3 };

bool is_bytes(const arrow::DataType& type) {
    return type.id() == arrow::Type::BINARY || type.id() == arrow::Type::LARGE_BINARY;
}

bool is_text(const arrow::DataType& type) {
    return type.id() == arrow::Type::STRING || type.id() == arrow::Type::LARGE_STRING;
}

Kind kind_of(const arrow::DataType& type) {
    if (is_bytes(type)) return kBytes;
    if (is_text(type) || type.id() == arrow::Type::BOOL || arrow::is_integer(type.id()) || arrow::is_floating(type.id()))
        return kScalar;
    if (type.id() == arrow::Type::DICTIONARY)
        return is_text(*static_cast<const arrow::DictionaryType&>(type).value_type()) ? kScalar : kOther;
    if (type.id() == arrow::Type::STRUCT) {
        const auto& fields = static_cast<const arrow::StructType&>(type);
        auto bytes = fields.GetFieldByName("bytes");
        auto path = fields.GetFieldByName("path");
        if (bytes && is_bytes(*bytes->type()) && (!path || is_text(*path->type()))) return kBytesAndPath;
    }
    return kOther;
}

void leaves(const parquet::arrow::SchemaField& field, std::vector<int>* into) {
    if (field.column_index >= 0) into->push_back(field.column_index);
    for (const auto& child : field.children) leaves(child, into);
}

struct Reader {
    arrow::CappedMemoryPool pool{arrow::default_memory_pool(), kMemoryLimit};
    std::unique_ptr<parquet::arrow::FileReader> file;
    std::shared_ptr<arrow::Schema> schema;

    std::vector<std::string> selected;
    std::vector<int> columns;
    int group = 0;
    // Rows of the group that have been handed over or skipped.
    int64_t taken = 0;
    int64_t skip = 0;
    std::unique_ptr<arrow::RecordBatchReader> rows;
    std::shared_ptr<arrow::RecordBatch> batch;
    std::string scratch;

    int64_t group_rows(int index) const { return file->parquet_reader()->metadata()->RowGroup(index)->num_rows(); }

    arrow::Status open(const std::string& path) {
        ARROW_ASSIGN_OR_RAISE(auto input, arrow::io::ReadableFile::Open(path, &pool));
        parquet::ReaderProperties properties(&pool);
        // Pages are read as they are needed, not whole column chunks, which may be as large as the file.
        properties.enable_buffered_stream();
        properties.set_buffer_size(1 << 20);
        parquet::ArrowReaderProperties arrow_properties(/*use_threads=*/false);
        arrow_properties.set_pre_buffer(false);
        parquet::arrow::FileReaderBuilder builder;
        ARROW_RETURN_NOT_OK(builder.Open(std::move(input), properties));
        ARROW_ASSIGN_OR_RAISE(file, builder.memory_pool(&pool)->properties(arrow_properties)->Build());
        ARROW_RETURN_NOT_OK(file->GetSchema(&schema));
        auto metadata = file->parquet_reader()->metadata();
        int64_t sum = 0;
        for (int index = 0; index < metadata->num_row_groups(); ++index) {
            int64_t count = group_rows(index);
            if (count < 0 || count > INT32_MAX) return arrow::Status::Invalid("a row group of ", count, " rows");
            sum += count;
        }
        if (sum != metadata->num_rows())
            return arrow::Status::Invalid("the footer counts ", metadata->num_rows(), " rows and its row groups ", sum);
        return arrow::Status::OK();
    }

    arrow::Status start(const int32_t* indices, int32_t count, int64_t row) {
        selected.clear();
        columns.clear();
        for (int32_t i = 0; i < count; ++i) {
            if (indices[i] < 0 || indices[i] >= schema->num_fields()) return arrow::Status::IndexError("no such column");
            selected.push_back(schema->field(indices[i])->name());
            leaves(file->manifest().schema_fields[indices[i]], &columns);
        }
        rows.reset();
        batch.reset();
        taken = 0;
        int groups = file->num_row_groups();
        for (group = 0; group < groups && row >= group_rows(group); ++group) row -= group_rows(group);
        skip = group < groups ? row : 0;
        return arrow::Status::OK();
    }

    int64_t batch_rows() const {
        auto metadata = file->parquet_reader()->metadata()->RowGroup(group);
        int64_t bytes = 0;
        for (int column : columns) bytes += std::max<int64_t>(0, metadata->ColumnChunk(column)->total_uncompressed_size());
        int64_t per_row = std::max<int64_t>(1, bytes / std::max<int64_t>(1, metadata->num_rows()));
        return std::clamp<int64_t>(kBatchBytes / per_row, 1, kBatchRows);
    }

    // Loads the next rows of the current group, or of one behind it.
    arrow::Status next() {
        batch.reset();
        while (group < file->num_row_groups()) {
            if (!rows) {
                file->set_batch_size(batch_rows());
                ARROW_ASSIGN_OR_RAISE(rows, file->GetRecordBatchReader({group}, columns));
            }
            std::shared_ptr<arrow::RecordBatch> loaded;
            ARROW_RETURN_NOT_OK(rows->ReadNext(&loaded));
            if (!loaded) {
                if (taken != group_rows(group))
                    return arrow::Status::Invalid("a row group has ", taken, " rows and says ", group_rows(group));
                rows.reset();
                ++group;
                taken = 0;
                continue;
            }
            ARROW_RETURN_NOT_OK(loaded->Validate());
            if (taken + loaded->num_rows() > group_rows(group))
                return arrow::Status::Invalid("a row group has more rows than it says");
            int64_t dropped = std::min(skip, loaded->num_rows());
            skip -= dropped;
            taken += loaded->num_rows();
            if (dropped == loaded->num_rows()) continue;
            batch = dropped > 0 ? loaded->Slice(dropped) : loaded;
            return arrow::Status::OK();
        }
        return arrow::Status::OK();
    }

    // Leaves a group that cannot be read, and says how many rows that loses.
    int64_t give_up_group() {
        if (group >= file->num_row_groups()) return 0;
        int64_t lost = group_rows(group) - std::max(taken, skip);
        rows.reset();
        batch.reset();
        taken = 0;
        skip = 0;
        ++group;
        return std::max<int64_t>(0, lost);
    }
};

void say(const std::string& message, char* error, size_t capacity) {
    if (capacity == 0) return;
    size_t count = std::min(message.size(), capacity - 1);
    std::memcpy(error, message.data(), count);
    error[count] = 0;
}

// Whatever Arrow throws must not pass through the C interface.
template <typename Body>
bool guarded(char* error, size_t capacity, Body body) {
    try {
        arrow::Status status = body();
        if (status.ok()) return true;
        say(status.message(), error, capacity);
    } catch (const std::exception& exception) {
        say(exception.what(), error, capacity);
    } catch (...) {
        say("an unknown failure", error, capacity);
    }
    return false;
}

template <typename Array>
void view(const arrow::Array& array, int64_t row, const uint8_t** bytes, int64_t* length) {
    auto value = static_cast<const Array&>(array).GetView(row);
    *bytes = reinterpret_cast<const uint8_t*>(value.data());
    *length = static_cast<int64_t>(value.size());
}

}  // namespace

extern "C" {

int32_t allophone_parquet_version() { return kVersion; }

void* allophone_parquet_open(const char* path, char* error, size_t capacity) {
    std::unique_ptr<Reader> reader;
    bool opened = guarded(error, capacity, [&] {
        reader = std::make_unique<Reader>();
        return reader->open(path);
    });
    return opened ? reader.release() : nullptr;
}

void allophone_parquet_close(void* reader) { delete static_cast<Reader*>(reader); }

int32_t allophone_parquet_columns(void* reader) { return static_cast<Reader*>(reader)->schema->num_fields(); }

const char* allophone_parquet_column_name(void* reader, int32_t column) {
    return static_cast<Reader*>(reader)->schema->field(column)->name().c_str();
}

int32_t allophone_parquet_column_kind(void* reader, int32_t column) {
    return kind_of(*static_cast<Reader*>(reader)->schema->field(column)->type());
}

// Reads these columns from now on, from the given row of the file.
int32_t allophone_parquet_start(
    void* reader, const int32_t* columns, int32_t count, int64_t row, char* error, size_t capacity) {
    return guarded(error, capacity, [&] { return static_cast<Reader*>(reader)->start(columns, count, row); });
}

// The number of rows loaded; 0 at the end. -1 is a failure: `lost` rows cannot be had, and the next call goes on behind them.
int64_t allophone_parquet_next(void* opaque, int64_t* lost, char* error, size_t capacity) {
    auto* reader = static_cast<Reader*>(opaque);
    *lost = 0;
    if (guarded(error, capacity, [&] { return reader->next(); })) return reader->batch ? reader->batch->num_rows() : 0;
    if (!guarded(error + std::strlen(error), 0, [&] {
            *lost = reader->give_up_group();
            return arrow::Status::OK();
        }))
        *lost = 0;
    return -1;
}

// The value of a selected column in a loaded row: 1, or 0 for null. `part` is 0, and 1 for the path of {bytes, path}. What it
// points to holds until the next call for a scalar, and until the next rows for bytes.
int32_t allophone_parquet_value(
    void* opaque, int32_t column, int64_t row, int32_t part, const uint8_t** bytes, int64_t* length) {
    auto* reader = static_cast<Reader*>(opaque);
    if (!reader->batch || row < 0 || row >= reader->batch->num_rows()) return 0;
    char ignored[1];
    int32_t found = 0;
    guarded(ignored, sizeof ignored, [&] {
        std::shared_ptr<arrow::Array> array = reader->batch->GetColumnByName(reader->selected[column]);
        if (!array || array->IsNull(row)) return arrow::Status::OK();
        if (array->type_id() == arrow::Type::STRUCT) {
            array = static_cast<const arrow::StructArray&>(*array).GetFieldByName(part == 0 ? "bytes" : "path");
            if (!array || array->IsNull(row)) return arrow::Status::OK();
        }
        switch (array->type_id()) {
            case arrow::Type::BINARY: view<arrow::BinaryArray>(*array, row, bytes, length); break;
            case arrow::Type::LARGE_BINARY: view<arrow::LargeBinaryArray>(*array, row, bytes, length); break;
            case arrow::Type::STRING: view<arrow::StringArray>(*array, row, bytes, length); break;
            case arrow::Type::LARGE_STRING: view<arrow::LargeStringArray>(*array, row, bytes, length); break;
            case arrow::Type::DICTIONARY: {
                const auto& dictionary = static_cast<const arrow::DictionaryArray&>(*array);
                ARROW_ASSIGN_OR_RAISE(auto scalar, dictionary.dictionary()->GetScalar(dictionary.GetValueIndex(row)));
                reader->scratch = scalar->is_valid ? scalar->ToString() : "";
                *bytes = reinterpret_cast<const uint8_t*>(reader->scratch.data());
                *length = static_cast<int64_t>(reader->scratch.size());
                break;
            }
            default: {
                ARROW_ASSIGN_OR_RAISE(auto scalar, array->GetScalar(row));
                reader->scratch = scalar->ToString();
                *bytes = reinterpret_cast<const uint8_t*>(reader->scratch.data());
                *length = static_cast<int64_t>(reader->scratch.size());
            }
        }
        found = 1;
        return arrow::Status::OK();
    });
    return found;
}

}  // extern "C"
