;; What a lens does to every patch, sixteen components at a time. lens_kernel.js does the same without these
;; instructions, number for number; `npm run wasm` assembles this file into lens_kernel.wasm.
(module
  (import "lens" "memory" (memory 1))

  ;; Sum of products of k numbers of 8 bits at $q with k weights of 16 bits at $w; k is a multiple of 16. With k up to
  ;; 64 it stays below 2^31 for all numbers.
  (func $dot (param $q i32) (param $w i32) (param $k i32) (result f32)
    (local $sum v128) (local $eight v128) (local $end i32)
    (local.set $end (i32.add (local.get $q) (local.get $k)))
    (loop $next
      (local.set $eight (v128.load (local.get $q)))
      (local.set $sum (i32x4.add (local.get $sum)
        (i32x4.dot_i16x8_s (i16x8.extend_low_i8x16_s (local.get $eight)) (v128.load (local.get $w)))))
      (local.set $sum (i32x4.add (local.get $sum)
        (i32x4.dot_i16x8_s (i16x8.extend_high_i8x16_s (local.get $eight)) (v128.load offset=16 (local.get $w)))))
      (local.set $q (i32.add (local.get $q) (i32.const 16)))
      (local.set $w (i32.add (local.get $w) (i32.const 32)))
      (br_if $next (i32.lt_u (local.get $q) (local.get $end))))
    (f32.convert_i32_s (i32.add
      (i32.add (i32x4.extract_lane 0 (local.get $sum)) (i32x4.extract_lane 1 (local.get $sum)))
      (i32.add (i32x4.extract_lane 2 (local.get $sum)) (i32x4.extract_lane 3 (local.get $sum))))))

  ;; A number as a byte: rounded, 0 and 255 at the ends.
  (func $byte (param $value f32) (result i32)
    (i32.trunc_sat_f32_u (f32.min (f32.const 255) (f32.max (f32.const 0)
      (f32.add (local.get $value) (f32.const 0.5))))))

  ;; out[n * stride + row] = byte(dot * gain[row] * inverse[n] + shift[row]); without $inverse (0) it is 1.
  (func (export "steps") (param $q i32) (param $n i32) (param $k i32) (param $w i32) (param $rows i32)
    (param $gain i32) (param $shift i32) (param $inverse i32) (param $out i32) (param $stride i32)
    (local $row i32) (local $at i32) (local $end i32) (local $y f32)
    (local.set $end (i32.add (local.get $q) (i32.mul (local.get $n) (local.get $k))))
    (if (i32.eqz (local.get $n)) (then (return)))
    (loop $patch
      (local.set $row (i32.const 0))
      (local.set $at (local.get $w))
      (loop $each
        (local.set $y (f32.mul (call $dot (local.get $q) (local.get $at) (local.get $k))
          (f32.load (i32.add (local.get $gain) (i32.shl (local.get $row) (i32.const 2))))))
        (if (local.get $inverse) (then
          (local.set $y (f32.mul (local.get $y) (f32.load (local.get $inverse))))))
        (i32.store8 (i32.add (local.get $out) (local.get $row)) (call $byte (f32.add (local.get $y)
          (f32.load (i32.add (local.get $shift) (i32.shl (local.get $row) (i32.const 2)))))))
        (local.set $at (i32.add (local.get $at) (i32.shl (local.get $k) (i32.const 1))))
        (local.set $row (i32.add (local.get $row) (i32.const 1)))
        (br_if $each (i32.lt_u (local.get $row) (local.get $rows))))
      (if (local.get $inverse) (then
        (local.set $inverse (i32.add (local.get $inverse) (i32.const 4)))))
      (local.set $out (i32.add (local.get $out) (local.get $stride)))
      (local.set $q (i32.add (local.get $q) (local.get $k)))
      (br_if $patch (i32.lt_u (local.get $q) (local.get $end)))))

  ;; out[n] = the row with the largest dot * gain[row] + shift[row], the first of equals.
  (func (export "classes") (param $q i32) (param $n i32) (param $k i32) (param $w i32) (param $rows i32)
    (param $gain i32) (param $shift i32) (param $out i32)
    (local $row i32) (local $at i32) (local $end i32) (local $y f32) (local $best f32) (local $found i32)
    (local.set $end (i32.add (local.get $q) (i32.mul (local.get $n) (local.get $k))))
    (if (i32.eqz (local.get $n)) (then (return)))
    (loop $patch
      (local.set $row (i32.const 0))
      (local.set $found (i32.const 0))
      (local.set $best (f32.const -inf))
      (local.set $at (local.get $w))
      (loop $each
        (local.set $y (f32.add (f32.mul (call $dot (local.get $q) (local.get $at) (local.get $k))
            (f32.load (i32.add (local.get $gain) (i32.shl (local.get $row) (i32.const 2)))))
          (f32.load (i32.add (local.get $shift) (i32.shl (local.get $row) (i32.const 2))))))
        (if (f32.gt (local.get $y) (local.get $best)) (then
          (local.set $best (local.get $y))
          (local.set $found (local.get $row))))
        (local.set $at (i32.add (local.get $at) (i32.shl (local.get $k) (i32.const 1))))
        (local.set $row (i32.add (local.get $row) (i32.const 1)))
        (br_if $each (i32.lt_u (local.get $row) (local.get $rows))))
      (i32.store8 (local.get $out) (local.get $found))
      (local.set $out (i32.add (local.get $out) (i32.const 1)))
      (local.set $q (i32.add (local.get $q) (local.get $k)))
      (br_if $patch (i32.lt_u (local.get $q) (local.get $end)))))

  ;; out[n] = byte(length of (dot * gain[row] + shift[row]) over all rows * $scale + $begin).
  (func (export "lengths") (param $q i32) (param $n i32) (param $k i32) (param $w i32) (param $rows i32)
    (param $gain i32) (param $shift i32) (param $scale f32) (param $begin f32) (param $out i32)
    (local $row i32) (local $at i32) (local $end i32) (local $y f32) (local $sum f32)
    (local.set $end (i32.add (local.get $q) (i32.mul (local.get $n) (local.get $k))))
    (if (i32.eqz (local.get $n)) (then (return)))
    (loop $patch
      (local.set $row (i32.const 0))
      (local.set $sum (f32.const 0))
      (local.set $at (local.get $w))
      (loop $each
        (local.set $y (f32.add (f32.mul (call $dot (local.get $q) (local.get $at) (local.get $k))
            (f32.load (i32.add (local.get $gain) (i32.shl (local.get $row) (i32.const 2)))))
          (f32.load (i32.add (local.get $shift) (i32.shl (local.get $row) (i32.const 2))))))
        (local.set $sum (f32.add (local.get $sum) (f32.mul (local.get $y) (local.get $y))))
        (local.set $at (i32.add (local.get $at) (i32.shl (local.get $k) (i32.const 1))))
        (local.set $row (i32.add (local.get $row) (i32.const 1)))
        (br_if $each (i32.lt_u (local.get $row) (local.get $rows))))
      (i32.store8 (local.get $out) (call $byte (f32.add
        (f32.mul (f32.sqrt (local.get $sum)) (local.get $scale)) (local.get $begin))))
      (local.set $out (i32.add (local.get $out) (i32.const 1)))
      (local.set $q (i32.add (local.get $q) (local.get $k)))
      (br_if $patch (i32.lt_u (local.get $q) (local.get $end))))))
