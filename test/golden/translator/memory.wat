;; Functions return 0 when they are done, and 2 when they give up. Look how
;; the tag is compared before the access; a store looks at its page's flag too; nothing has changed when one gives up.
;; 0: lbu a0, 3(a1)
;; 1: ld a0, 8(a1)
;; 2: sd a0, 8(a1)
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
                          (i64.const 3))))
                    (i32.const 8))
                  (i32.const 65520))
                (i32.const DATA_BANK_AREA))))
          (i64.and
            (local.get 1)
            (i64.const -4096))))
      (local.set 0
        (i32.add
          (i32.wrap_i64
            (local.get 1))
          (i32.load offset=8
            (local.get 2))))
      (i64.store offset=80
        (i32.const 0)
        (i64.load8_u
          (local.get 0)))
      (return
        (i32.const 0)))
    (i32.const 2))
  (func (;1;) (export "1") (type 0) (result i32)
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
      (i64.store offset=80
        (i32.const 0)
        (i64.load
          (local.get 0)))
      (return
        (i32.const 0)))
    (i32.const 2))
  (func (;2;) (export "2") (type 0) (result i32)
    (local i64 i32)
    (block  ;; label = @1
      (br_if 0 (;@1;)
        (i64.ne
          (i64.load offset=65536
            (local.tee 1
              (i32.add
                (i32.and
                  (i32.shr_u
                    (i32.wrap_i64
                      (local.tee 0
                        (i64.add
                          (i64.load offset=88
                            (i32.const 0))
                          (i64.const 8))))
                    (i32.const 8))
                  (i32.const 65520))
                (i32.const DATA_BANK_AREA))))
          (i64.and
            (local.get 0)
            (i64.const -4089))))
      (br_if 0 (;@1;)
        (i32.and
          (i32.load8_u offset=FLAGS_BIAS
            (i32.shr_u
              (local.tee 1
                (i32.add
                  (i32.wrap_i64
                    (local.get 0))
                  (i32.load offset=65544
                    (local.get 1))))
              (i32.const 12)))
          (i32.const 247)))
      (i64.store
        (local.get 1)
        (i64.load offset=80
          (i32.const 0)))
      (return
        (i32.const 0)))
    (i32.const 2)))
