;; Functions return 0 when they are done, and 2 when they give up. Look how
;; singles are boxed, NaNs canonical; what may round or raise a flag otherwise than on the host gives up.
;; 0: fld fa0, 8(a1)
;; 1: fmv.d fa0, fa1
;; 2: fadd.d fa0, fa1, fa2
;; 3: fmul.d fa0, fa1, fa2
;; 4: fmul.s fa0, fa1, fa2
;; 5: flt.d a0, fa1, fa2
;; 6: fcvt.w.d a0, fa1, rtz
;; 7: fmadd.s fa0, fa1, fa2, fa3
;; 8: fmadd.d fa0, fa1, fa2, fa3
(module
  (type (;0;) (func (result i32)))
  (import "m" "memory" (memory (;0;) 1))
  (func (;0;) (export "0") (type 0) (result i32)
    (local i32 i64 i32)
    (block  ;; label = @1
      (br_if 0 (;@1;)
        (i64.ne
          (i64.load
            (local.tee 2
              (i32.add
                (i32.and
                  (i32.shr_u
                    (i32.wrap_i64
                      (local.tee 1
                        (i64.add
                          (i64.load offset=88
                            (i32.const 0))
                          (i64.const 8))))
                    (i32.const 8))
                  (i32.const 65520))
                (i32.const DATA_BANK_AREA))))
          (i64.and
            (local.get 1)
            (i64.const -4089))))
      (local.set 0
        (i32.add
          (i32.wrap_i64
            (local.get 1))
          (i32.load offset=8
            (local.get 2))))
      (f64.store offset=864
        (i32.const 0)
        (f64.load
          (local.get 0)))
      (return
        (i32.const 0)))
    (i32.const 2))
  (func (;1;) (export "1") (type 0) (result i32)
    (block  ;; label = @1
      (f64.store offset=864
        (i32.const 0)
        (f64.load offset=872
          (i32.const 0)))
      (return
        (i32.const 0)))
    (i32.const 2))
  (func (;2;) (export "2") (type 0) (result i32)
    (local f64 f64 f64 f64)
    (block  ;; label = @1
      (local.set 0
        (f64.load offset=872
          (i32.const 0)))
      (local.set 1
        (f64.load offset=880
          (i32.const 0)))
      (local.set 2
        (f64.add
          (local.get 0)
          (local.get 1)))
      (br_if 0 (;@1;)
        (f64.ne
          (local.tee 3
            (f64.sub
              (local.get 2)
              (local.get 2)))
          (local.get 3)))
      (f64.store offset=864
        (i32.const 0)
        (local.get 2))
      (return
        (i32.const 0)))
    (i32.const 2))
  (func (;3;) (export "3") (type 0) (result i32)
    (local f64 f64 f64)
    (block  ;; label = @1
      (local.set 0
        (f64.load offset=872
          (i32.const 0)))
      (local.set 1
        (f64.load offset=880
          (i32.const 0)))
      (local.set 2
        (f64.mul
          (local.get 0)
          (local.get 1)))
      (if  ;; label = @2
        (i32.ge_u
          (i32.and
            (i32.add
              (i32.wrap_i64
                (i64.shr_u
                  (i64.reinterpret_f64
                    (local.get 2))
                  (i64.const 52)))
              (i32.const -2))
            (i32.const 2047))
          (i32.const 2045))
        (then
          (br_if 1 (;@1;)
            (i32.or
              (i32.and
                (f64.ne
                  (local.get 0)
                  (f64.const 0x0p+0 (;=0;)))
                (f64.ne
                  (local.get 1)
                  (f64.const 0x0p+0 (;=0;))))
              (f64.ne
                (local.get 2)
                (f64.const 0x0p+0 (;=0;)))))))
      (f64.store offset=864
        (i32.const 0)
        (local.get 2))
      (return
        (i32.const 0)))
    (i32.const 2))
  (func (;4;) (export "4") (type 0) (result i32)
    (local i64 i64 f32 f32 f32 i32)
    (block  ;; label = @1
      (br_if 0 (;@1;)
        (i64.ne
          (i64.shr_s
            (i64.and
              (local.tee 0
                (i64.load offset=872
                  (i32.const 0)))
              (local.tee 1
                (i64.load offset=880
                  (i32.const 0))))
            (i64.const 32))
          (i64.const -1)))
      (local.set 2
        (f32.reinterpret_i32
          (i32.wrap_i64
            (local.get 0))))
      (local.set 3
        (f32.reinterpret_i32
          (i32.wrap_i64
            (local.get 1))))
      (local.set 4
        (f32.mul
          (local.get 2)
          (local.get 3)))
      (local.set 5
        (i32.reinterpret_f32
          (local.get 4)))
      (if  ;; label = @2
        (i32.ge_u
          (i32.sub
            (i32.shl
              (local.get 5)
              (i32.const 1))
            (i32.const 16777217))
          (i32.const -33554433))
        (then
          (br_if 1 (;@1;)
            (i32.or
              (i32.and
                (f32.ne
                  (local.get 2)
                  (f32.const 0x0p+0 (;=0;)))
                (f32.ne
                  (local.get 3)
                  (f32.const 0x0p+0 (;=0;))))
              (f32.ne
                (local.get 4)
                (f32.const 0x0p+0 (;=0;)))))))
      (i64.store offset=864
        (i32.const 0)
        (i64.or
          (i64.extend_i32_u
            (local.get 5))
          (i64.const -4294967296)))
      (return
        (i32.const 0)))
    (i32.const 2))
  (func (;5;) (export "5") (type 0) (result i32)
    (local f64 f64 i32)
    (block  ;; label = @1
      (local.set 0
        (f64.load offset=872
          (i32.const 0)))
      (local.set 1
        (f64.load offset=880
          (i32.const 0)))
      (br_if 0 (;@1;)
        (i32.eqz
          (i32.or
            (local.tee 2
              (f64.lt
                (local.get 0)
                (local.get 1)))
            (f64.ge
              (local.get 0)
              (local.get 1)))))
      (i64.store offset=80
        (i32.const 0)
        (i64.extend_i32_u
          (local.get 2)))
      (return
        (i32.const 0)))
    (i32.const 2))
  (func (;6;) (export "6") (type 0) (result i32)
    (local f64)
    (block  ;; label = @1
      (local.set 0
        (f64.load offset=872
          (i32.const 0)))
      (br_if 0 (;@1;)
        (i32.eqz
          (f64.lt
            (f64.abs
              (local.get 0))
            (f64.const 0x1p+31 (;=2.14748e+09;)))))
      (i64.store offset=80
        (i32.const 0)
        (i64.extend_i32_s
          (i32.trunc_f64_s
            (local.get 0))))
      (return
        (i32.const 0)))
    (i32.const 2))
  (func (;7;) (export "7") (type 0) (result i32)
    (local f64 f64 f64 i64 i64 i64 f32 f32 f32 i32 i32 f64)
    (block  ;; label = @1
      (br_if 0 (;@1;)
        (i64.ne
          (i64.shr_s
            (i64.and
              (i64.and
                (local.tee 3
                  (i64.load offset=872
                    (i32.const 0)))
                (local.tee 4
                  (i64.load offset=880
                    (i32.const 0))))
              (local.tee 5
                (i64.load offset=888
                  (i32.const 0))))
            (i64.const 32))
          (i64.const -1)))
      (local.set 6
        (f32.reinterpret_i32
          (i32.wrap_i64
            (local.get 3))))
      (local.set 7
        (f32.reinterpret_i32
          (i32.wrap_i64
            (local.get 4))))
      (local.set 8
        (f32.reinterpret_i32
          (i32.wrap_i64
            (local.get 5))))
      (local.set 1
        (f64.promote_f32
          (local.get 8)))
      (local.set 9
        (i32.reinterpret_f32
          (f32.demote_f64
            (local.tee 2
              (f64.add
                (local.tee 0
                  (f64.mul
                    (f64.promote_f32
                      (local.get 6))
                    (f64.promote_f32
                      (local.get 7))))
                (local.get 1))))))
      (if  ;; label = @2
        (i32.or
          (local.tee 10
            (i32.ge_u
              (i32.sub
                (i32.shl
                  (local.get 9)
                  (i32.const 1))
                (i32.const 16777217))
              (i32.const -33554433)))
          (i32.eq
            (i32.and
              (i32.wrap_i64
                (i64.reinterpret_f64
                  (local.get 2)))
              (i32.const 536870911))
            (i32.const 268435456)))
        (then
          (br_if 1 (;@1;)
            (i32.and
              (i32.or
                (f64.ne
                  (f64.add
                    (f64.sub
                      (local.get 0)
                      (f64.sub
                        (local.get 2)
                        (local.tee 11
                          (f64.sub
                            (local.get 2)
                            (local.get 0)))))
                    (f64.sub
                      (local.get 1)
                      (local.get 11)))
                  (f64.const 0x0p+0 (;=0;)))
                (local.get 10))
              (f64.ne
                (local.get 2)
                (f64.const 0x0p+0 (;=0;)))))))
      (i64.store offset=864
        (i32.const 0)
        (i64.or
          (i64.extend_i32_u
            (local.get 9))
          (i64.const -4294967296)))
      (return
        (i32.const 0)))
    (i32.const 2))
  (func (;8;) (export "8") (type 0) (result i32)
    (local f64 f64 f64 f64 f64 f64 i64 i64 i32 i32)
    (block  ;; label = @1
      (local.set 0
        (f64.load offset=872
          (i32.const 0)))
      (local.set 1
        (f64.load offset=880
          (i32.const 0)))
      (local.set 2
        (f64.load offset=888
          (i32.const 0)))
      (local.set 3
        (f64.mul
          (local.get 0)
          (local.get 1)))
      (local.set 6
        (i64.reinterpret_f64
          (local.get 0)))
      (local.set 4
        (f64.sub
          (local.tee 4
            (f64.mul
              (local.get 0)
              (f64.const 0x1.0000002p+27 (;=1.34218e+08;))))
          (f64.sub
            (local.get 4)
            (local.get 0))))
      (local.set 0
        (f64.sub
          (local.get 0)
          (local.get 4)))
      (local.set 7
        (i64.reinterpret_f64
          (local.get 1)))
      (local.set 5
        (f64.sub
          (local.tee 5
            (f64.mul
              (local.get 1)
              (f64.const 0x1.0000002p+27 (;=1.34218e+08;))))
          (f64.sub
            (local.get 5)
            (local.get 1))))
      (local.set 1
        (f64.sub
          (local.get 1)
          (local.get 5)))
      (local.set 0
        (f64.add
          (f64.add
            (f64.add
              (f64.sub
                (f64.mul
                  (local.get 4)
                  (local.get 5))
                (local.get 3))
              (f64.mul
                (local.get 4)
                (local.get 1)))
            (f64.mul
              (local.get 0)
              (local.get 5)))
          (f64.mul
            (local.get 0)
            (local.get 1))))
      (local.set 1
        (f64.add
          (local.get 3)
          (local.get 2)))
      (local.set 4
        (f64.add
          (local.tee 2
            (f64.add
              (f64.sub
                (local.get 3)
                (f64.sub
                  (local.get 1)
                  (local.tee 4
                    (f64.sub
                      (local.get 1)
                      (local.get 3)))))
              (f64.sub
                (local.get 2)
                (local.get 4))))
          (local.get 0)))
      (local.set 5
        (f64.add
          (local.get 1)
          (local.get 4)))
      (block  ;; label = @2
        (block  ;; label = @3
          (br_if 0 (;@3;)
            (i32.eqz
              (local.tee 8
                (i32.ge_u
                  (i32.and
                    (i32.wrap_i64
                      (i64.shr_u
                        (i64.reinterpret_f64
                          (local.get 3))
                        (i64.const 52)))
                    (i32.const 2047))
                  (i32.const 64)))))
          (br_if 1 (;@2;)
            (f64.eq
              (f64.sub
                (f64.add
                  (local.get 1)
                  (f64.mul
                    (local.get 4)
                    (f64.const 0x1.0000000000001p+0 (;=1;))))
                (f64.add
                  (local.get 1)
                  (f64.mul
                    (local.get 4)
                    (f64.const 0x1.ffffffffffffep-1 (;=1;)))))
              (f64.const 0x0p+0 (;=0;)))))
        (if  ;; label = @3
          (local.tee 9
            (i32.or
              (i64.eqz
                (i64.shl
                  (local.get 6)
                  (i64.const 1)))
              (i64.eqz
                (i64.shl
                  (local.get 7)
                  (i64.const 1)))))
          (then
            (local.set 5
              (local.get 1))))
        (br_if 1 (;@1;)
          (i32.or
            (i32.eqz
              (i32.or
                (i32.and
                  (f64.eq
                    (f64.add
                      (f64.sub
                        (local.get 2)
                        (f64.sub
                          (local.get 4)
                          (local.tee 3
                            (f64.sub
                              (local.get 4)
                              (local.get 2)))))
                      (f64.sub
                        (local.get 0)
                        (local.get 3)))
                    (f64.const 0x0p+0 (;=0;)))
                  (local.get 8))
                (local.get 9)))
            (f64.ne
              (f64.sub
                (local.get 5)
                (local.get 5))
              (f64.const 0x0p+0 (;=0;))))))
      (f64.store offset=864
        (i32.const 0)
        (local.get 5))
      (return
        (i32.const 0)))
    (i32.const 2)))
