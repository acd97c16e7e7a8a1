//! Which of the two clouds a request speaks to, and the limits in which they differ.

/// The cloud whose dialect a request is written in. Both see the same buckets and objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cloud {
    /// Amazon S3.
    S3,
    /// Alibaba Cloud OSS.
    Oss,
}

impl Cloud {
    /// The longest object key, in bytes.
    pub fn max_key_len(self) -> usize {
        match self {
            Self::S3 => 1024,
            Self::Oss => 1023,
        }
    }

    /// The smallest part, in bytes, that is not the last one of a multipart upload.
    pub fn min_part_size(self) -> u64 {
        match self {
            Self::S3 => 5 << 20,
            Self::Oss => 100 << 10,
        }
    }

    /// How many bytes a form may have before its file. S3's limit is its own; OSS takes 8 MB, and this store, which reads them before it knows
    /// who sent them, less.
    pub fn max_before_file(self) -> u64 {
        match self {
            Self::S3 => 20 << 10,
            Self::Oss => 128 << 10,
        }
    }

    /// How many bytes of user metadata (names and values together) an object may have.
    pub fn max_metadata(self) -> usize {
        match self {
            Self::S3 => 2 << 10,
            Self::Oss => 8 << 10,
        }
    }
}
