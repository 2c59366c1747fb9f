mod error_code;
mod frame;
mod frame_attacks;
mod stream_header;
mod varint;
